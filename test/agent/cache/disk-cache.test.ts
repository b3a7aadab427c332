import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDiskCache } from '../../../agent/cache/disk-cache.ts'
import type { CachedEntry } from '../../../agent/cache/entry.ts'
import { knowingOnly } from '../../../agent/cache/knowledge.ts'
import { createWorkloadCache } from '../../../agent/cache/workload-cache.ts'
import { type X509Svid, x509Svid } from '../../../agent/cache/x509-svid.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import { spkiOf, toPkcs8 } from '../../../spiffe/key.ts'
import { parseSelector } from '../../../spiffe/selector.ts'
import { TEST_NOW, testCa } from '../../fakes/ca.ts'
import { cachedEntry } from '../../fakes/cached-entry.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { memoryLog } from '../../fakes/memory-log.ts'

const ca = await testCa()
const partner = await testCa({ trustDomain: 'partner.org' })
const agentId = parseSpiffeId('spiffe://example.org/spire/agent/join_token/t')
const context = {
  now: TEST_NOW,
  policy: { availabilityTargetSeconds: undefined },
  random: () => 0.5,
}
const entry = cachedEntry('a', {
  hint: 'db',
  createdAt: 7,
  revision: 3,
  federatesWith: [partner.trustDomain],
  selectors: ['unix:uid:0', 'k8s:pod-label:a:b'].map(parseSelector),
  prefetch: false,
  jti: true,
})
const ownBundle: Bundle = {
  ...ca.bundle,
  x509Authorities: ca.bundle.x509Authorities.map(({ der }) => ({ der, tainted: true })),
  jwtAuthorities: [
    { keyId: 'k', publicKey: spkiOf(ca.key), expiresAt: TEST_NOW, tainted: false },
    { keyId: 'l', publicKey: spkiOf(ca.key), expiresAt: undefined, tainted: true },
  ],
  sequenceNumber: 4,
  refreshHintSeconds: 60,
}

async function svidOf({ entryId, id, revision }: CachedEntry): Promise<X509Svid> {
  const { chain, key } = await ca.leaf(`/${entryId}`)
  const parts = { entryId, id, revision, chain, key: toPkcs8(key), spki: spkiOf(key) }
  return x509Svid(parts, context)
}

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'steeple-cache-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const svidFiles = () => readdirSync(join(dir, 'cache', 'svids'))
const svidPath = () => join(dir, 'cache', 'svids', svidFiles()[0] ?? '')

function open() {
  const { log, lines } = memoryLog()
  const clock = new FakeClock(TEST_NOW)
  return { disk: openDiskCache(dir, { clock, log }), lines, clock }
}

/** A cache that is written to disk for as long as the result is not disposed. */
function startWriting(disk = open().disk) {
  const clock = new FakeClock(TEST_NOW)
  const known = knowingOnly(ownBundle)
  const cache = createWorkloadCache({ clock, maxSvids: 10, known, svids: [] })
  const stop = new AbortController()
  const written = disk.follow(agentId, cache, stop.signal)
  return {
    cache,
    know(...entries: readonly CachedEntry[]) {
      const federated = new Map([[partner.trustDomain, partner.bundle]])
      cache.apply({ kind: 'snapshot', entries, bundle: undefined, federated })
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await written
    },
  }
}

async function written() {
  const svid = await svidOf(entry)
  await using run = startWriting()
  run.know(entry)
  run.cache.store([svid])
  return svid
}

test('what was written is read back: entries, bundles, SVIDs and keys', async () => {
  const svid = await written()
  const remembered = await open().disk.load(agentId, context)
  expect(remembered?.known).toEqual({
    entries: new Map([['a', entry]]),
    bundle: ownBundle,
    federated: new Map([[partner.trustDomain, partner.bundle]]),
  })
  expect(remembered?.svids).toEqual([svid])
})

test('keys are for the agent alone', async () => {
  await written()
  expect(statSync(svidPath()).mode & 0o777).toBe(0o600)
  expect(statSync(join(dir, 'cache')).mode & 0o777).toBe(0o700)
  expect(statSync(join(dir, 'cache', 'entries.json')).mode & 0o777).toBe(0o600)
})

test('changes are written as they come, without waiting for the end', async () => {
  await using run = startWriting()
  run.know(entry)
  run.cache.store([await svidOf(entry)])
  await expect.poll(() => existsSync(join(dir, 'cache', 'svids')) && svidFiles()).toHaveLength(1)
})

test('the key of an entry that is gone leaves the disk, also when it was of an earlier run', async () => {
  await written()
  const { disk } = open()
  await disk.load(agentId, context)
  await using run = startWriting(disk)
  run.know()
  await expect.poll(svidFiles).toEqual([])
})

test('entries that change all the time are not written all the time', async () => {
  const { disk, clock } = open()
  await using run = startWriting(disk)
  await clock.sleepers(1)
  const path = join(dir, 'cache', 'entries.json')
  const before = statSync(path).ino
  for (let revision = 0; revision < 9; revision++) run.know({ ...entry, revision })
  await expect.poll(() => clock.sleeping).toBe(1)
  expect(statSync(path).ino).toBe(before)
  clock.advance(200)
  await expect.poll(() => JSON.parse(readFileSync(path, 'utf8')).entries[0]?.revision).toBe(8)
})

test('there is nothing to read at the first start', async () => {
  expect(await open().disk.load(agentId, context)).toBeUndefined()
})

test('the cache of another agent is dropped', async () => {
  await written()
  const other = parseSpiffeId('spiffe://example.org/spire/agent/join_token/u')
  expect(await open().disk.load(other, context)).toBeUndefined()
  expect(existsSync(join(dir, 'cache'))).toBe(false)
})

test('an expired SVID is not read, and its key leaves the disk', async () => {
  await written()
  const now = new Date('2026-02-01T00:00:00Z')
  const remembered = await open().disk.load(agentId, { ...context, now })
  expect(remembered?.known.entries.size).toBe(1)
  expect(remembered?.svids).toEqual([])
  expect(svidFiles()).toEqual([])
})

test.for([
  ['is cut off', (text: string) => text.slice(0, 40)],
  ['has the key of another certificate', swapKey],
  ['names another ID than its certificate', (text: string) => text.replace('org/a"', 'org/b"')],
  ['belongs to no entry', (text: string) => text.replace('"entry_id":"a"', '"entry_id":"z"')],
] as const)('an SVID file that %s is dropped, and the rest is used', async ([, damage]) => {
  await written()
  writeFileSync(svidPath(), damage(readFileSync(svidPath(), 'utf8')))
  const remembered = await open().disk.load(agentId, context)
  expect(remembered?.known.entries.size).toBe(1)
  expect(remembered?.svids).toEqual([])
  expect(svidFiles()).toEqual([])
})

function swapKey(text: string): string {
  return JSON.stringify({ ...JSON.parse(text), key: toPkcs8(ca.key).toString('base64') })
}

test.for([
  ['is cut off', (text: string) => text.slice(0, 40)],
  ['holds no SPIFFE ID', (text: string) => text.replace('spiffe://example.org/a', 'nonsense')],
  ['is of a later form', (text: string) => text.replace('"version":1', '"version":2')],
] as const)(
  'an entry file that %s is dropped with all the rest, and the log says so',
  async ([, damage]) => {
    await written()
    const path = join(dir, 'cache', 'entries.json')
    writeFileSync(path, damage(readFileSync(path, 'utf8')))
    const { disk, lines } = open()
    expect(await disk.load(agentId, context)).toBeUndefined()
    expect(existsSync(join(dir, 'cache'))).toBe(false)
    expect(lines).toMatchObject([{ level: 'warn' }])
  },
)

test('a disk that cannot be written is reported, and does not stop the agent', async () => {
  const { disk, lines, clock } = open()
  await using run = startWriting(disk)
  await clock.sleepers(1)
  rmSync(join(dir, 'cache'), { recursive: true })
  writeFileSync(join(dir, 'cache'), 'in the way')
  run.know(entry)
  clock.advance(200)
  await expect.poll(() => lines.length).toBe(1)
  expect(lines).toMatchObject([
    { level: 'error', msg: expect.stringContaining('cannot be written') },
  ])
  expect(run.cache.knowledge().entries.size).toBe(1)
})
