/** SPIFFE Workload Endpoint and Workload API, the client's side: what the SDK reads, drops and repeats. */
import { Server, ServerCredentials, status } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { parseEndpointAddress } from '../../proto/endpoint-address.ts'
import { workloadApi } from '../../proto/load.ts'
import type { IdentityError } from '../../spiffe/error.ts'
import { readX509Response } from '../../workload/x509-context.ts'
import { openX509Source } from '../../workload/x509-source.ts'
import { FakeClock } from '../fakes/clock.ts'
import { currentCa, identityOf } from '../fakes/svids.ts'
import { openWorkloadEndpoint } from '../fakes/workload-endpoint.ts'

const example = await currentCa('example.org')
const partner = await currentCa('partner.org')
const web = await identityOf(example, '/web')
const db = await identityOf(example, '/db')

async function open() {
  const endpoint = await openWorkloadEndpoint()
  endpoint.source.set({ bundle: example.bundle, identities: [web, db] })
  const failures: IdentityError[] = []
  const clock = new FakeClock()
  const source = await openX509Source({
    socket: `unix://${endpoint.path}`,
    clock,
    onFailure: (error) => failures.push(error),
  })
  return {
    endpoint,
    failures,
    clock,
    source,
    async [Symbol.asyncDispose]() {
      await source[Symbol.asyncDispose]()
      await endpoint[Symbol.asyncDispose]()
    },
  }
}

test.for([
  ['unix:///run/agent/api.sock', 'unix:/run/agent/api.sock'],
  ['unix:/run/agent/api.sock', 'unix:/run/agent/api.sock'],
  ['UNIX:///run/api.sock', 'unix:/run/api.sock'],
  ['tcp://127.0.0.1:8000', '127.0.0.1:8000'],
  ['tcp://[::1]:8000', '[::1]:8000'],
] as const)('E-4 reads the address %s', ([text, address]) => {
  expect(parseEndpointAddress(text, 'socket')).toBe(address)
})

test.for([
  ['', 'no scheme'],
  ['/run/api.sock', 'no scheme'],
  ['api.sock', 'no scheme'],
  ['http://127.0.0.1:80', 'the scheme http is not allowed'],
  ['npipe:spire', 'the scheme npipe is not allowed'],
  ['unix:', 'no path'],
  ['unix://', 'no path'],
  ['unix:///', 'no path'],
  ['unix://host/run/api.sock', 'authority'],
  ['unix://run/api.sock', 'authority'],
  ['unix:run/api.sock', 'not absolute'],
  ['unix:///run/api.sock?x', 'query or a fragment'],
  ['unix:///run/api.sock#x', 'query or a fragment'],
  ['unix:///run/%61pi.sock', 'encoded'],
  ['tcp:127.0.0.1:80', 'no authority'],
  ['tcp://127.0.0.1', 'not an IP address and a port'],
  ['tcp://127.0.0.1:', 'not an IP address and a port'],
  ['tcp://:80', 'not an IP address'],
  ['tcp://localhost:80', 'not an IP address'],
  ['tcp://127.1:80', 'not an IP address'],
  ['tcp://::1:80', 'not an IP address'],
  ['tcp://[127.0.0.1]:80', 'not an IP address'],
  ['tcp://127.0.0.1:0', 'out of range'],
  ['tcp://127.0.0.1:65536', 'out of range'],
  ['tcp://127.0.0.1:80/', 'path'],
  ['tcp://127.0.0.1:80/x', 'path'],
  ['tcp://user@127.0.0.1:80', 'user information'],
  ['tcp://127.0.0.1:80?x', 'query or a fragment'],
] as const)('E-4 refuses the address %j', ([text, why]) => {
  expect(() => parseEndpointAddress(text, 'socket')).toThrow(why)
})

/** An agent that ends each stream with a status of its own. */
async function answerWith(code: status) {
  const calls: unknown[] = []
  const server = new Server()
  server.addService(workloadApi().service, {
    FetchX509SVID(call: { emit(event: 'error', error: object): void; metadata: unknown }) {
      calls.push(call.metadata)
      call.emit('error', { code, details: 'as the test wants' })
    },
  })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  return {
    calls,
    socket: `tcp://127.0.0.1:${port}`,
    [Symbol.dispose]: () => server.forceShutdown(),
  }
}

test.for([status.INVALID_ARGUMENT, status.UNIMPLEMENTED])(
  'E-5 does not repeat a request that was answered with status %i',
  async (code) => {
    using agent = await answerWith(code)
    await expect(openX509Source({ socket: agent.socket, onFailure: () => {} })).rejects.toThrow(
      'as the test wants',
    )
    expect(agent.calls).toHaveLength(1)
  },
)

test.for([
  status.UNAVAILABLE,
  status.PERMISSION_DENIED,
  status.RESOURCE_EXHAUSTED,
  status.INTERNAL,
  status.UNKNOWN,
  status.CANCELLED,
])('E-5 backs off and repeats after status %i', async (code) => {
  using agent = await answerWith(code)
  const clock = new FakeClock()
  const stop = new AbortController()
  const pauses: (number | undefined)[] = []
  const opening = openX509Source({
    socket: agent.socket,
    clock,
    random: () => 0.5,
    signal: stop.signal,
    onFailure(_error, retryMs) {
      pauses.push(retryMs)
      if (pauses.length === 4) stop.abort()
    },
  })
  opening.catch(() => {})
  await expect
    .poll(() => {
      clock.advance(10_000)
      return pauses
    })
    .toEqual([0, 250, 500, 1_000])
  await expect(opening).rejects.toThrow()
})

test('A-3 reconnects at once when a stream that has served is ended', async () => {
  await using it = await open()
  await it.endpoint.stop()
  await expect.poll(() => it.failures.length).toBeGreaterThan(1) // no clock was moved: the first retry is immediate
})

test('A-4 a bundle that is gone from the next answer is unloaded', async () => {
  await using it = await open()
  const updates = it.source.updates()[Symbol.asyncIterator]()
  it.endpoint.source.set({ federatedBundles: [partner.bundle] })
  await expect.poll(() => it.source.current().bundles.size).toBe(2)
  it.endpoint.source.set({ federatedBundles: [] })
  await expect.poll(() => it.source.current().bundles.size).toBe(1)
  expect((await updates.next()).done).toBe(false)
})

test('A-5 an answer without a mandatory field is reported and discarded', async () => {
  await using it = await open()
  it.endpoint.source.set({ identities: [{ ...web, key: Buffer.alloc(0) }] })
  await expect.poll(() => it.failures.length).toBe(1)
  expect(it.source.current().svids).toHaveLength(2)
})

test('A-6 of SVIDs with the same hint the first is taken', () => {
  const wire = (identity: typeof web) => ({
    spiffe_id: identity.id,
    x509_svid: Buffer.concat(identity.chain),
    x509_svid_key: Buffer.from(identity.key),
    bundle: Buffer.from(example.certificate),
    hint: 'same',
  })
  const answer = { svids: [wire(web), wire(db)], crl: [], federated_bundles: {} }
  const { svids } = readX509Response(answer, ([first]) => first)
  expect(svids.map(({ id }) => id)).toEqual([web.id])
})

test('A-7 SVIDs that the agent takes back are not used any more', async () => {
  await using it = await open()
  it.endpoint.source.set({ identities: [db] })
  await expect.poll(() => it.source.current().svids.map(({ id }) => id)).toEqual([db.id])
  it.endpoint.source.set({ identities: [] })
  await expect.poll(() => it.failures.length).toBeGreaterThan(0)
  expect(() => it.source.current()).toThrow(expect.objectContaining({ code: 'NO_IDENTITY_ISSUED' }))
})

test('A-8 each trust domain keeps a bundle of its own, none is merged into another', async () => {
  await using it = await open()
  it.endpoint.source.set({ federatedBundles: [partner.bundle] })
  await expect.poll(() => it.source.current().bundles.size).toBe(2)
  const { bundles } = it.source.current()
  for (const ca of [example, partner]) {
    const authorities = bundles.get(ca.trustDomain)?.x509Authorities ?? []
    expect(authorities.map(({ der }) => Buffer.from(der).equals(ca.certificate))).toEqual([true])
  }
})

test('A-12 the first SVID of an answer is the default identity', async () => {
  await using it = await open()
  expect(it.source.current().defaultSvid.id).toBe(web.id)
})
