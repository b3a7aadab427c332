/** Which relationships are the controller's outlives the process, and only those are ever taken away. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readMeta } from '../../../kubernetes/object.ts'
import { parseClusterFederatedTrustDomainSpec } from '../../../server/controller/cluster-federated-trust-domain.ts'
import { resourceReader } from '../../../server/controller/custom-resource.ts'
import { createDesiredRelationships } from '../../../server/controller/desired-relationships.ts'
import { keepRelationships } from '../../../server/controller/keep-relationships.ts'
import { openStore } from '../../../server/store/sqlite/open-store.ts'
import type { Store } from '../../../server/store/store.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { memoryLog } from '../../fakes/memory-log.ts'

let dataDir: string
let store: Store
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'steeple-relationships-'))
  store = await openStore({ path: ':memory:', clock: new FakeClock() })
})
afterEach(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const own = parseTrustDomain('example.org')
const reader = resourceReader({ className: '', watchesClassless: false }, (spec) =>
  parseClusterFederatedTrustDomainSpec(spec, own),
)

/** A process that follows a cluster in which these are declared. */
async function open(declared: Readonly<Record<string, string>>, mustLead = () => {}) {
  const desired = createDesiredRelationships()
  const audited: string[] = []
  for (const [trustDomain, bundleEndpointURL] of Object.entries(declared)) {
    const object = {
      metadata: { name: trustDomain, uid: trustDomain, resourceVersion: '1' },
      spec: { trustDomain, bundleEndpointURL, bundleEndpointProfile: { type: 'https_web' } },
    }
    const meta = readMeta(object)
    const resource = meta === undefined ? undefined : reader(object, meta)
    if (resource === undefined) throw new Error('it was left out')
    desired.changed({ kind: 'set', object: resource, before: undefined })
  }
  const kept = await keepRelationships(desired, {
    ...{ federation: store.federation, dataDir, log: memoryLog().log, mustLead },
    onWritten: () => {},
    audit: (method, trustDomain) => void audited.push(`${method} ${trustDomain}`),
  })
  return { ...kept, audited }
}

const present = async () =>
  (await store.federation.list({ size: 100, token: '' })).items.map(
    ({ trustDomain, endpointUrl }) => `${trustDomain} ${endpointUrl}`,
  )

const byHand = (name: string, endpointUrl: string) =>
  store.federation.create(
    { trustDomain: parseTrustDomain(name), endpointUrl, profile: { kind: 'https_web' } },
    undefined,
  )

const file = () => join(dataDir, 'controller-relationships.json')

test('what one process made, the next one changes and takes away', async () => {
  await byHand('hand.test', 'https://hand.test/')
  const first = await open({ 'a.test': 'https://a.test/', 'b.test': 'https://b.test/' })
  expect([...(await first.settle())]).toEqual([])
  expect(first.audited).toHaveLength(2)
  expect(statSync(file()).mode & 0o777).toBe(0o600)
  const second = await open({ 'a.test': 'https://a.test/two' })
  await second.settle()
  expect(await present()).toEqual(['a.test https://a.test/two', 'hand.test https://hand.test/'])
  expect(JSON.parse(readFileSync(file(), 'utf8'))).toEqual({ trust_domains: ['a.test'] })
})

test('what is as declared already is taken over without being written', async () => {
  await byHand('a.test', 'https://a.test/')
  const first = await open({ 'a.test': 'https://a.test/' })
  await first.settle()
  expect(first.audited).toEqual([])
  await (await open({})).settle()
  expect(await present()).toEqual([])
})

test('without the file nothing is taken away', async () => {
  await (await open({ 'a.test': 'https://a.test/' })).settle()
  rmSync(file())
  await (await open({})).settle()
  expect(await present()).toEqual(['a.test https://a.test/'])
})

test('a damaged file is refused, with what to do', async () => {
  for (const text of ['{', '[]', '{"trust_domains":[1]}']) {
    writeFileSync(file(), text, { mode: 0o600 })
    await expect(open({})).rejects.toThrow('is damaged')
  }
})

test('nothing is written when another one leads', async () => {
  const lost = () => {
    throw new Error('the lease is not ours any more')
  }
  const kept = await open({ 'a.test': 'https://a.test/' }, lost)
  await expect(kept.settle()).rejects.toThrow('not ours any more')
  expect(await present()).toEqual([])
})
