/**
 * What one process of a machine can do to the agent's sockets, and to whom else: the others are served meanwhile, memory stays within
 * a bound, and whoever does not read is kept the newest state and no more.
 */
import { credentials, status } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  bundleApi,
  delegatedIdentityApi,
  entryApi,
  secretDiscoveryApi,
  workloadApi,
} from '../../proto/load.ts'
import { generateKey, spkiOf } from '../../spiffe/key.ts'
import { toPem } from '../../spiffe/x509/pem.ts'
import { testCa } from '../fakes/ca.ts'
import { type HonestCaller, SERVED, startHonestCaller } from '../hostile/honest-caller.ts'
import { openRaw } from '../hostile/raw-http2.ts'
import {
  type Method,
  openReaders,
  overUnix,
  type Reader,
  type Readers,
} from '../hostile/reluctant-reader.ts'
import { forgetPeak, statusOf, withstand } from '../hostile/withstand.ts'
import { type Agent, type Server, startAgent, startServer } from '../processes/cluster.ts'
import { until } from '../processes/process.ts'

const ID = 'spiffe://example.org/reader'
const uid = `uid:${process.getuid?.()}`
/** What an agent may take above what it had, for whatever one process does. */
const MAX_GROWN_MIB = 384
/** As above on the admin socket, where a process may have eight times as many streams. */
const MAX_GROWN_BY_DELEGATE_MIB = 768

let server: Server
let agent: Agent
let honest: HonestCaller
beforeAll(async () => {
  server = await startServer('steeple', { logLevel: 'INFO' })
  agent = await startAgent('steeple', server, {
    logLevel: 'INFO',
    hasAdminSocket: true,
    settings: `authorized_delegates = ["${ID}"]`,
  })
  honest = startHonestCaller()
  const words = ['-entryID', 'reader', '-parentID', agent.id, '-spiffeID', ID]
  const created = await server.cli(
    'steeple',
    ...['entry', 'create', ...words, '-selector', `unix:${uid}`],
  )
  expect(created.code, created.stderr).toBe(0)
  await until('an identity', async () => (await honest.ask(agent.socket)) === SERVED)
})
afterAll(async () => {
  await honest?.[Symbol.asyncDispose]()
  await agent?.[Symbol.asyncDispose]()
  await server?.[Symbol.asyncDispose]()
})

const isServed = async () => (await honest.ask(agent.socket)) === SERVED

test.for([
  ['public', '/SpiffeWorkloadAPI/FetchX509Bundles'],
  ['admin', '/spire.api.agent.delegatedidentity.v1.DelegatedIdentity/SubscribeToX509SVIDs'],
] as const)(
  'the %s socket withstands every attack on HTTP/2 by %s and serves others meanwhile',
  async ([socket, method]) => {
    await withstand({
      place: { kind: 'unix', path: socket === 'public' ? agent.socket : agent.adminSocket },
      ...{ method, process: agent.process(), isServed },
      mib: socket === 'public' ? MAX_GROWN_MIB : MAX_GROWN_BY_DELEGATE_MIB,
    })
  },
)

/** Opens connections one after the other, for the queue of the listener is not what is tested. */
async function openMany(count: number, isReading: boolean): Promise<readonly Readers[]> {
  const opened: Readers[] = []
  for (let at = 0; at < count; at += 1) {
    opened.push(await openReaders(isReading, overUnix(agent.socket)))
  }
  return opened
}

const closeAll = async (readers: readonly Readers[]) => {
  for (const one of readers) await one[Symbol.asyncDispose]()
}

test('4,096 streams of one process that reads none of them keep nobody else waiting, and it is told how many it may have', async () => {
  const connections = await openMany(4, false)
  try {
    const streams = connections.flatMap((one) =>
      Array.from({ length: 1_024 }, () => one.open(workloadApi().service.FetchX509Bundles, {})),
    )
    expect(await isServed()).toBe(true)
    const refused = () => streams.filter(({ refusal }) => refusal() !== undefined)
    await until('refusals', async () => refused().length > 0)
    expect(refused()[0]?.refusal()).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      message: `process ${process.pid} has 1024 open streams, the limit is 1024; close some or share one stream`,
    })
    expect(await isServed()).toBe(true)
  } finally {
    await closeAll(connections)
  }
  const lines = agent.process().output().split('\n')
  expect(lines.filter((line) => line.includes('Refused a process')).length).toBeLessThan(40)
})

test('a thousand streams on a thousand connections of one process are served', async () => {
  const connections = await openMany(1_000, true)
  try {
    const readers = connections.map((one) => one.open(workloadApi().service.FetchX509SVID, {}))
    await until('all of them to be told', async () =>
      readers.every(({ messages }) => messages.length > 0),
    )
    expect(await isServed()).toBe(true)
  } finally {
    await closeAll(connections)
  }
})

test('connections beyond a thousand of one process are cut, and others are let in', async () => {
  const before = statusOf(agent.process(), 'VmRSS')
  const sockets = await Promise.all(
    Array.from({ length: 2_000 }, () => openRaw({ kind: 'unix', path: agent.socket })),
  )
  try {
    for (const socket of sockets) socket.resume()
    const open = () => sockets.filter((socket) => !socket.destroyed).length
    await until('the others to be cut', async () => open() === 1_024)
    expect(await isServed()).toBe(true)
    expect(statusOf(agent.process(), 'VmHWM') - before, 'MiB').toBeLessThan(MAX_GROWN_MIB)
  } finally {
    for (const socket of sockets) socket.destroy()
  }
})

describe('streams that are not read', () => {
  const OTHER = 'other.org'
  const CHANGES = 1_000
  /** Changes that are asked for at the same time. */
  const AT_ONCE = 50
  const READERS_OF_EACH = 50
  /** What was on its way when it changed first, an answer that a proxy asked for, the newest state, and one that came while it was read. */
  const MOST_KEPT = 4
  const selectors = [{ type: 'unix', value: uid }]
  const trust = { resource_names: [`spiffe://${OTHER}`] }
  const x509 = (der: Uint8Array) => Buffer.from(der)
  const pem = (der: Uint8Array) => Buffer.from(toPem('CERTIFICATE', der).trim())
  const sds = secretDiscoveryApi().service
  const delegated = delegatedIdentityApi().service
  const workload = workloadApi().service

  /** By what each is known to have the newest state: the newest root, key or hint in the last message. */
  const STREAMS = [
    ['FetchX509SVID', 'public', workload.FetchX509SVID, {}, 'hint', x509],
    ['FetchX509Bundles', 'public', workload.FetchX509Bundles, {}, 'root', x509],
    ['FetchJWTBundles', 'public', workload.FetchJWTBundles, {}, 'key', x509],
    ['StreamSecrets', 'public', sds.StreamSecrets, trust, 'root', pem],
    [
      'DeltaSecrets',
      'public',
      sds.DeltaSecrets,
      { resource_names_subscribe: trust.resource_names },
      'root',
      pem,
    ],
    ['SubscribeToX509SVIDs', 'admin', delegated.SubscribeToX509SVIDs, { selectors }, 'hint', x509],
    ['SubscribeToX509Bundles', 'admin', delegated.SubscribeToX509Bundles, {}, 'root', x509],
    ['SubscribeToJWTBundles', 'admin', delegated.SubscribeToJWTBundles, {}, 'key', x509],
  ] as const

  test('keep four messages each at most while entries and bundles change a thousand times, and get the newest when they read', async () => {
    const roots = await Promise.all([0, 1, 2].map(() => testCa({ trustDomain: OTHER })))
    const [, , newest] = roots
    const change = openChanges(server.socket)
    const set = async (root: (typeof roots)[number] | undefined, hint: string) => {
      await change.bundle(OTHER, root?.certificate ?? expect.unreachable(), hint)
      await change.hint(hint)
    }
    await set(roots[0], 'hint-first')
    const slow = {
      public: await openReaders(false, overUnix(agent.socket)),
      admin: await openReaders(false, overUnix(agent.adminSocket)),
    }
    const brisk = {
      public: await openReaders(true, overUnix(agent.socket)),
      admin: await openReaders(true, overUnix(agent.adminSocket)),
    }
    try {
      const open = (where: typeof slow) =>
        STREAMS.map(([, place, method, request]) => where[place].open(asMethod(method), request))
      const reading = open(brisk)
      const unread = Array.from({ length: READERS_OF_EACH }, () => open(slow))
      for (const [at, [name]] of STREAMS.entries()) {
        await until(`${name} to begin`, async () => (reading[at]?.messages.length ?? 0) > 0)
      }
      forgetPeak(agent.process())
      const before = statusOf(agent.process(), 'VmRSS')
      for (let at = 0; at < CHANGES; at += AT_ONCE) {
        const some = Array.from({ length: AT_ONCE }, (_, lane) =>
          set(roots[(at / AT_ONCE + lane) % 2], `hint-${at + lane}`),
        )
        await Promise.all(some)
      }
      await set(newest, 'hint-newest')
      const marks = {
        hint: () => Buffer.from('hint-newest'),
        key: () => Buffer.from('"hint-newest"'),
        root: (encode: (der: Uint8Array) => Buffer) =>
          encode(newest?.certificate ?? expect.unreachable()),
      }
      const isNewest = (at: number, reader: Reader | undefined) => {
        const [, , , , mark, encode] = STREAMS[at] ?? expect.unreachable()
        return reader?.messages.at(-1)?.includes(marks[mark](encode)) === true
      }
      for (const [at, [name]] of STREAMS.entries()) {
        await until(`${name} to be told`, async () => isNewest(at, reading[at]))
      }
      expect(await isServed()).toBe(true)
      expect(unread.flat().flatMap(({ messages }) => messages)).toEqual([])
      expect(statusOf(agent.process(), 'VmHWM') - before, 'MiB').toBeLessThan(MAX_GROWN_MIB)
      for (const one of Object.values(slow)) one.startReading()
      for (const [at, [name]] of STREAMS.entries()) {
        expect(reading[at]?.messages.length, name).toBeGreaterThan(MOST_KEPT)
        for (const readers of unread) {
          await until(`${name} to be read`, async () => isNewest(at, readers[at]))
          expect(readers[at]?.messages.length, name).toBeLessThanOrEqual(MOST_KEPT)
        }
      }
    } finally {
      for (const one of [...Object.values(slow), ...Object.values(brisk)]) {
        await one[Symbol.asyncDispose]()
      }
      change.close()
    }
  })
})

/** Cast: the generated services leave open what a method takes and gives. */
const asMethod = (method: unknown) => method as Method

const PUBLIC_KEY = spkiOf(await generateKey('ec-p256'))

/** What an administrator changes. */
function openChanges(socketPath: string) {
  const address = `unix:${socketPath}`
  const bundles = new (bundleApi())(address, credentials.createInsecure())
  const entries = new (entryApi())(address, credentials.createInsecure())
  const done = (call: (callback: (error: Error | null) => void) => unknown) =>
    new Promise<void>((resolve, reject) => {
      call((error) => (error === null ? resolve() : reject(error)))
    })
  return {
    bundle: (trust_domain: string, der: Uint8Array, key_id: string) =>
      done((callback) => {
        const bundle = {
          trust_domain,
          x509_authorities: [{ asn1: Buffer.from(der) }],
          jwt_authorities: [{ public_key: PUBLIC_KEY, key_id, expires_at: 4_000_000_000 }],
        }
        bundles.BatchSetFederatedBundle({ bundle: [bundle] }, callback)
      }),
    hint: (hint: string) =>
      done((callback) => {
        const entry = { id: 'reader', hint, federates_with: ['other.org'] }
        const input_mask = { hint: true, federates_with: true }
        entries.BatchUpdateEntry({ entries: [entry], input_mask }, callback)
      }),
    close() {
      bundles.close()
      entries.close()
    },
  }
}
