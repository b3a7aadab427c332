import { expect, test } from 'vitest'
import { serveWorkloadApi } from '../../agent/workload-api/serve.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { openX509Source, type X509SourceOptions } from '../../workload/x509-source.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeIdentitySource } from '../fakes/identity-source.ts'
import { memoryLog } from '../fakes/memory-log.ts'
import { currentCa, identityOf } from '../fakes/svids.ts'
import { openWorkloadEndpoint } from '../fakes/workload-endpoint.ts'

const example = await currentCa('example.org')
const partner = await currentCa('partner.org')
const web = await identityOf(example, '/web', { hint: 'internal' })
const db = await identityOf(example, '/db')

async function open(options: Partial<X509SourceOptions> = {}) {
  const endpoint = await openWorkloadEndpoint()
  endpoint.source.set({ bundle: example.bundle, identities: [web, db] })
  const clock = new FakeClock()
  const failures: [IdentityError, number | undefined][] = []
  const opening = openX509Source({
    socket: `unix://${endpoint.path}`,
    clock,
    random: () => 0.5,
    onFailure: (error, retryMs) => failures.push([error, retryMs]),
    ...options,
  })
  return { endpoint, clock, failures, opening }
}

test('holds all SVIDs, the first as default, and the bundle of each trust domain by itself', async () => {
  const { endpoint, opening } = await open()
  await using _endpoint = endpoint
  endpoint.source.set({ federatedBundles: [partner.bundle] })
  await using source = await opening
  const { defaultSvid, svids, bundles } = source.current()
  expect(defaultSvid.id).toBe('spiffe://example.org/web')
  expect(svids.map(({ id, hint }) => [id, hint])).toEqual([
    ['spiffe://example.org/web', 'internal'],
    ['spiffe://example.org/db', ''],
  ])
  expect([...bundles.keys()]).toEqual(['example.org', 'partner.org'])
  expect(bundles.get(partner.trustDomain)?.x509Authorities).toHaveLength(1)
})

test('finds an SVID by its hint, and says which hints there are', async () => {
  const { endpoint, opening } = await open()
  await using _endpoint = endpoint
  await using source = await opening
  expect(source.svidFor('internal').id).toBe('spiffe://example.org/web')
  expect(() => source.svidFor('external')).toThrow(
    'no X509-SVID has the hint "external"; there are "internal", ""',
  )
})

test('the program may pick another default', async () => {
  const { endpoint, opening } = await open({ pick: (svids) => svids.at(-1) })
  await using _endpoint = endpoint
  await using source = await opening
  expect(source.current().defaultSvid.id).toBe('spiffe://example.org/db')
})

test('a rotation arrives by itself', async () => {
  const { endpoint, opening } = await open()
  await using _endpoint = endpoint
  await using source = await opening
  const changes = source.updates()[Symbol.asyncIterator]()
  await changes.next()
  const next = await identityOf(example, '/web')
  endpoint.source.set({ identities: [next] })
  expect((await changes.next()).value?.defaultSvid.chain).toEqual(
    next.chain.map((der) => Buffer.from(der)),
  )
  expect(source.current().svids).toHaveLength(1)
})

test('waits for an agent that has no identity yet, and says so meanwhile', async () => {
  const { endpoint, clock, failures, opening } = await open()
  await using _endpoint = endpoint
  endpoint.source.set({ identities: [] })
  await expect.poll(() => failures.length).toBeGreaterThan(1)
  expect(failures[0]?.[0]).toMatchObject({
    code: 'NO_IDENTITY_ISSUED',
    message: expect.stringContaining('no registration entry matches this process'),
  })
  expect(failures.slice(0, 2).map(([, retryMs]) => retryMs)).toEqual([0, 250])
  endpoint.source.set({ identities: [db] })
  await clock.sleepers(1)
  clock.advance(60_000)
  await using source = await opening
  expect(source.current().defaultSvid.id).toBe('spiffe://example.org/db')
})

test('an identity that the agent withdraws is not used any more, until there is one again', async () => {
  const { endpoint, clock, failures, opening } = await open()
  await using _endpoint = endpoint
  await using source = await opening
  endpoint.source.set({ identities: [] })
  await expect.poll(() => failures.length).toBeGreaterThan(0)
  expect(() => source.current()).toThrow(expect.objectContaining({ code: 'NO_IDENTITY_ISSUED' }))
  endpoint.source.set({ identities: [db] })
  await expect
    .poll(() => {
      clock.advance(60_000)
      return source.current().defaultSvid.id
    })
    .toBe('spiffe://example.org/db')
})

test('while the agent is away the last answer stays, and its successor is found', async () => {
  const { endpoint, clock, failures, opening } = await open()
  await using _endpoint = endpoint
  await using source = await opening
  await endpoint.stop()
  await expect.poll(() => failures.length).toBeGreaterThan(1)
  expect(failures[0]?.[0].code).toBe('UNAVAILABLE')
  expect(source.current().defaultSvid.id).toBe('spiffe://example.org/web')
  const identities = new FakeIdentitySource(example.bundle)
  identities.set({ identities: [db] })
  await using _next = await serveWorkloadApi({
    path: endpoint.path,
    source: identities,
    attest: async () => new Set(),
    clock: new FakeClock(),
    log: memoryLog().log,
    allowUnauthenticatedVerifiers: false,
    allowedForeignJwtClaims: [],
  })
  await expect
    .poll(() => {
      clock.advance(60_000)
      return source.current().defaultSvid.id
    })
    .toBe('spiffe://example.org/db')
})

test('an answer that cannot be used is dropped, reported, and the last good one kept', async () => {
  const { endpoint, failures, opening } = await open()
  await using _endpoint = endpoint
  await using source = await opening
  endpoint.source.set({ identities: [{ ...web, key: db.key }] })
  await expect.poll(() => failures.length).toBe(1)
  expect(failures[0]?.[0].message).toContain('the private key does not belong')
  expect(source.current().svids).toHaveLength(2)
  endpoint.source.set({ identities: [db] })
  await expect.poll(() => source.current().svids.length).toBe(1)
})

test('an agent that refuses the request for good ends the opening', async () => {
  const endpoint = await openWorkloadEndpoint({
    attest: async () => {
      throw new IdentityError('REQUEST_INVALID', 'what is this')
    },
  })
  await using _endpoint = endpoint
  const failures: unknown[] = []
  await expect(
    openX509Source({
      socket: `unix://${endpoint.path}`,
      onFailure: (_error, retryMs) => failures.push(retryMs),
    }),
  ).rejects.toMatchObject({ code: 'REQUEST_INVALID', message: 'what is this' })
  expect(failures).toEqual([undefined])
})

test('the signal ends the waiting, and later the source', async () => {
  const stop = new AbortController()
  const { endpoint, opening } = await open({ signal: stop.signal })
  await using _endpoint = endpoint
  endpoint.source.set({ identities: [] })
  stop.abort()
  await expect(opening).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  const already = open({ signal: AbortSignal.abort() })
  const { endpoint: second, opening: never } = await already
  await using _second = second
  await expect(never).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

test('closing ends the stream at the agent, and nothing can be read afterwards', async () => {
  const { endpoint, opening } = await open()
  await using _endpoint = endpoint
  const source = await opening
  expect(endpoint.source.watchers).toBe(1)
  await source[Symbol.asyncDispose]()
  await source[Symbol.asyncDispose]()
  await expect.poll(() => endpoint.source.watchers).toBe(0)
  expect(() => source.current()).toThrow(/the source is closed/)
})

test('a socket that is not there is reported with its path', async () => {
  const messages: string[] = []
  const stop = new AbortController()
  const opening = openX509Source({
    socket: 'unix:///nonexistent/api.sock',
    signal: stop.signal,
    onFailure({ message }) {
      messages.push(message)
      stop.abort()
    },
  })
  await expect(opening).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(messages[0]).toContain('/nonexistent/api.sock')
})

test('refuses an address of another form before anything is opened', async () => {
  await expect(openX509Source({ socket: '/tmp/agent.sock' })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  })
})
