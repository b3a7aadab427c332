/** Secret discovery over a real socket: who gets what, when it comes, and what is refused. */
import { Client, type ClientDuplexStream, credentials, status } from '@grpc/grpc-js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MAX_NAME_BYTES, MAX_NAMES } from '../../../agent/sds/check-names.ts'
import { SECRET_TYPE_URL } from '../../../agent/sds/encode-secret.ts'
import { DEFAULT_SDS_SETTINGS } from '../../../agent/sds/settings.ts'
import { NO_RATES } from '../../../agent/workload-api/rate-limit.ts'
import type { DeltaDiscoveryRequestInput } from '../../../proto/gen/envoy/service/discovery/v3/DeltaDiscoveryRequest.ts'
import type { DiscoveryRequestInput } from '../../../proto/gen/envoy/service/discovery/v3/DiscoveryRequest.ts'
import type { DiscoveryResponse } from '../../../proto/gen/envoy/service/discovery/v3/DiscoveryResponse.ts'
import { secretDiscoveryApi } from '../../../proto/load.ts'
import { emptyBundle } from '../../../spiffe/bundle.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { fakeIdentity } from '../../fakes/identity-source.ts'
import {
  type EndpointOptions,
  next,
  openWorkloadEndpoint,
  secured,
  unary,
} from '../../fakes/workload-endpoint.ts'

const WEB = 'spiffe://example.org/web'
const [web, db] = [fakeIdentity(WEB), fakeIdentity('spiffe://example.org/db')]
const partner = {
  ...emptyBundle(parseTrustDomain('partner.org')),
  x509Authorities: [{ der: Buffer.from('partner root;'), tainted: false }],
}

/** A stream of either kind: what is said, and what comes. */
function talk<Request, Response>(stream: ClientDuplexStream<Request, Response>) {
  const coming: AsyncIterator<Response> = stream[Symbol.asyncIterator]()
  return {
    say: (request: Request) => void stream.write(request),
    next: () => next(coming),
    async ask(request: Request) {
      stream.write(request)
      return await next(coming)
    },
    end: () => stream.end(),
    over: async () => (await coming.next()).done,
    cancel: () => stream.cancel(),
  }
}

async function open(options: EndpointOptions = {}) {
  const endpoint = await openWorkloadEndpoint({ sds: DEFAULT_SDS_SETTINGS, ...options })
  const api = new (secretDiscoveryApi())(`unix:${endpoint.path}`, credentials.createInsecure())
  return {
    ...endpoint,
    world: () => talk(api.StreamSecrets()),
    delta: () => talk(api.DeltaSecrets()),
    fetch: (request: DiscoveryRequestInput) =>
      unary<DiscoveryResponse>((by, done) => api.FetchSecrets(request, by, done)),
    async [Symbol.asyncDispose]() {
      api.close()
      await endpoint[Symbol.asyncDispose]()
    },
  }
}

const textsOf = (resources: DiscoveryResponse['resources']) =>
  resources.map((any) => ('value' in any ? Buffer.from(any.value as Buffer).toString() : ''))
const pem = (label: string, text: string) =>
  `-----BEGIN ${label}-----\n${Buffer.from(text).toString('base64')}\n-----END ${label}-----\n`
const own = (names: readonly string[]): DiscoveryRequestInput => ({
  resource_names: [...names],
  type_url: SECRET_TYPE_URL,
})
const notAuthorized = (names: string) => ({
  code: status.INVALID_ARGUMENT,
  details: `workload is not authorized for the requested identities [${names}]`,
})

test('an Envoy needs no header to get its SVID with the key, as PEM, under the name it asked by', async () => {
  await using agent = await open()
  agent.source.set({ identities: [web, db] })
  const { resources, version_info, nonce, type_url } = await agent.fetch(own(['default']))
  expect({ version_info, nonce, type_url }).toEqual({
    version_info: '',
    nonce: '',
    type_url: SECRET_TYPE_URL,
  })
  const [text = ''] = textsOf(resources)
  expect(resources).toHaveLength(1)
  expect(text).toContain('default')
  expect(text).toContain(
    pem('CERTIFICATE', `leaf of ${WEB};`) + pem('CERTIFICATE', 'intermediate;'),
  )
  expect(text).toContain(pem('PRIVATE KEY', `key of ${WEB}`))
})

test('selectors of the very process that calls are what secrets are looked up by', async () => {
  await using agent = await open()
  agent.source.set({ identities: [web] })
  await agent.fetch(own(['default']))
  expect(agent.source.asked[0]).toContain(`unix:uid:${process.geteuid?.()}`)
})

test('another SVID reaches an open stream by itself, with the next version and another nonce', async () => {
  await using agent = await open()
  agent.source.set({ identities: [web] })
  const stream = agent.world()
  const first = await stream.ask(own(['default', 'ROOTCA']))
  expect([first.version_info, first.resources.length]).toEqual(['1', 2])
  agent.source.set({ identities: [{ ...web, chain: [Buffer.from('renewed')] }] })
  const second = await stream.next()
  expect(second.version_info).toBe('2')
  expect(second.nonce).not.toBe(first.nonce)
  expect(textsOf(second.resources).join()).toContain(pem('CERTIFICATE', 'renewed'))
})

test('what others asked for does not disturb a stream: it hears of its own secrets alone', async () => {
  await using agent = await open()
  agent.source.set({ identities: [web] })
  const stream = agent.world()
  await stream.ask(own(['ROOTCA']))
  agent.source.set({ identities: [db] })
  agent.source.set({ federatedBundles: [partner] })
  const root = { der: Buffer.from('new root'), tainted: false }
  agent.source.set({
    bundle: { ...emptyBundle(parseTrustDomain('example.org')), x509Authorities: [root] },
  })
  const { resources } = await stream.next()
  expect(textsOf(resources).join()).toContain(pem('CERTIFICATE', 'new root'))
})

test('a stream that asked before there is an identity is answered when there is one', async () => {
  await using agent = await open()
  const delta = agent.delta()
  const none = await delta.ask({ resource_names_subscribe: ['default'] })
  expect(none).toMatchObject({ resources: [], removed_resources: ['default'] })
  agent.source.set({ identities: [web] })
  const some = await delta.next()
  expect(some.resources.map(({ name }) => name)).toEqual(['default'])
})

test('an entry that goes takes its SVID from a delta stream, and ends a stream of the other kind', async () => {
  await using agent = await open()
  agent.source.set({ identities: [web] })
  const [delta, world] = [agent.delta(), agent.world()]
  await delta.ask({ resource_names_subscribe: ['default', 'ROOTCA'] })
  await world.ask(own(['default']))
  agent.source.set({ identities: [] })
  expect(await delta.next()).toMatchObject({ resources: [], removed_resources: ['default'] })
  await expect(world.next()).rejects.toMatchObject(notAuthorized('"default"'))
})

test('a name of somebody else is refused in the words of SPIRE, and gets nothing of what is asked beside it', async () => {
  await using agent = await open()
  agent.source.set({ identities: [web], federatedBundles: [partner] })
  const names = ['default', 'spiffe://example.org/db', 'spiffe://third.org']
  const refusal = notAuthorized('"spiffe://example.org/db" "spiffe://third.org"')
  await expect(agent.fetch(own(names))).rejects.toMatchObject(refusal)
  await expect(agent.world().ask(own(names))).rejects.toMatchObject(refusal)
  const told = agent.lines.filter(({ why }) => String(why).includes(WEB))
  expect(told).toHaveLength(2)
  expect(told[0]).toMatchObject({ method: 'FetchSecrets', pid: process.pid, entries: 1 })
  expect(JSON.stringify(agent.lines)).not.toContain('key of')
})

test('the log tells why a workload has no identity, and which names it asked for; the caller is not told', async () => {
  await using agent = await open({ whyNone: () => ({ why: 'entry e1 comes closest' }) })
  await expect(agent.fetch(own(['default']))).rejects.toMatchObject(notAuthorized('"default"'))
  const delta = agent.delta()
  await delta.ask({ resource_names_subscribe: ['default'] })
  const told = agent.lines.filter(({ why }) => why === 'entry e1 comes closest')
  expect(told).toHaveLength(2)
  for (const line of told) expect(line).toMatchObject({ requested: '["default"]', entries: 0 })
})

test('a workload without an identity gets the own bundle, as SPIRE gives it, and no other', async () => {
  await using agent = await open()
  expect((await agent.fetch(own(['ROOTCA']))).resources).toHaveLength(1)
  expect((await agent.fetch(own([]))).resources).toHaveLength(1)
  await expect(agent.fetch(own(['spiffe://partner.org']))).rejects.toMatchObject({ code: 3 })
})

test('what an Envoy refuses is in the log, cut where it is long, and is not sent again', async () => {
  await using agent = await open()
  agent.source.set({ identities: [web] })
  const stream = agent.world()
  const { nonce } = await stream.ask(own(['default']))
  const error_detail = { code: 13, message: 'x'.repeat(5_000) }
  stream.say({ ...own(['default']), response_nonce: nonce, error_detail })
  const { version_info } = await stream.ask({
    ...own(['ROOTCA']),
    response_nonce: nonce,
    version_info: '1',
  })
  expect(version_info).toBe('1')
  const [line] = agent.lines.filter(({ msg }) => String(msg).startsWith('A proxy refused'))
  expect(line).toMatchObject({ level: 'warn', pid: process.pid, error: 'x'.repeat(1_024) })
})

test('a client that has said its last gets its answer before the stream ends', async () => {
  await using agent = await open()
  agent.source.set({ identities: [web] })
  const stream = agent.world()
  stream.say(own(['default']))
  stream.end()
  expect((await stream.next()).resources).toHaveLength(1)
  expect(await stream.over()).toBe(true)
  await expect.poll(() => agent.source.watchers).toBe(0)
})

test('a stream that its client leaves is watched no longer', async () => {
  await using agent = await open()
  const stream = agent.delta()
  await stream.ask({ resource_names_subscribe: ['ROOTCA'] })
  expect(agent.source.watchers).toBe(1)
  stream.cancel()
  await expect.poll(() => agent.source.watchers).toBe(0)
})

test('a stream that was refused is watched no longer', async () => {
  await using agent = await open()
  await expect(agent.world().ask(own(['nope']))).rejects.toMatchObject({ code: 3 })
  await expect.poll(() => agent.source.watchers).toBe(0)
})

test('streams end when the agent stops, with a status that says "try again"', async () => {
  await using agent = await open()
  const streams = [agent.world(), agent.delta()]
  await agent.world().ask(own([]))
  const ends = streams.map((stream) =>
    expect(stream.next()).rejects.toMatchObject({ code: status.UNAVAILABLE }),
  )
  await Promise.all([agent.stop(), ...ends])
})

test.for([
  [
    'more names than anybody needs',
    Array.from({ length: MAX_NAMES + 1 }, String),
    'resource names were given',
  ],
  ['a name longer than any ID', ['x'.repeat(MAX_NAME_BYTES + 1)], 'a resource name has'],
] as const)('refuses %s', async ([, names, details]) => {
  await using agent = await open()
  const refusal = { code: status.INVALID_ARGUMENT, details: expect.stringContaining(details) }
  await expect(agent.fetch(own(names))).rejects.toMatchObject(refusal)
  await expect(agent.world().ask(own(names))).rejects.toMatchObject(refusal)
  const asked: DeltaDiscoveryRequestInput = { resource_names_subscribe: [...names] }
  await expect(agent.delta().ask(asked)).rejects.toMatchObject(refusal)
})

test('refuses a delta stream that comes to want more names than anybody needs', async () => {
  await using agent = await open()
  const stream = agent.delta()
  const names = (from: number) => Array.from({ length: MAX_NAMES }, (_, at) => `n${from + at}`)
  await stream.ask({ resource_names_subscribe: names(0) })
  await expect(stream.ask({ resource_names_subscribe: names(1) })).rejects.toMatchObject({
    details: `${MAX_NAMES + 1} resource names were given, at most ${MAX_NAMES} are allowed`,
  })
})

test('refuses calls beyond the rate of each method, in the words of SPIRE', async () => {
  const limits = { StreamSecrets: 1, DeltaSecrets: 1, FetchSecrets: 1 }
  await using agent = await open({ rates: { ...NO_RATES, ...limits } })
  const calls = {
    FetchSecrets: () => agent.fetch(own([])),
    StreamSecrets: () => agent.world().ask(own([])),
    DeltaSecrets: () => agent.delta().ask({}),
  }
  for (const [method, call] of Object.entries(calls)) {
    await call()
    await expect(call()).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      details: `rate limit exceeded for /envoy.service.secret.v3.SecretDiscoveryService/${method}`,
    })
  }
})

test('refuses more open streams than one process may have', async () => {
  await using agent = await open({ streams: { perProcess: 1, total: 10 } })
  await agent.world().ask(own([]))
  await expect(agent.delta().ask({})).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED })
})

test('is not there when it is turned off', async () => {
  const { sds: _, ...off } = { sds: undefined }
  await using endpoint = await openWorkloadEndpoint(off)
  const api = new (secretDiscoveryApi())(`unix:${endpoint.path}`, credentials.createInsecure())
  const asked = unary((by, done) => api.FetchSecrets({}, by, done))
  await expect(asked).rejects.toMatchObject({ code: status.UNIMPLEMENTED })
  api.close()
})

/** FetchSecrets with bytes that are no request. */
function sendRaw(client: Client, bytes: Buffer): Promise<number> {
  const path = '/envoy.service.secret.v3.SecretDiscoveryService/FetchSecrets'
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      path,
      (raw: Buffer) => raw,
      (raw) => raw,
      bytes,
      secured(),
      (error) => resolve(error?.code ?? status.OK),
    )
  })
}

test('whatever bytes come, the call ends with a status and the agent goes on', async () => {
  await using agent = await open()
  const client = new Client(`unix:${agent.path}`, credentials.createInsecure())
  const field = fc.tuple(
    fc.constantFrom(0x0a, 0x12, 0x1a, 0x22, 0x2a, 0x32, 0x18),
    fc.uint8Array({ maxLength: 40 }),
  )
  const request = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc
      .array(field, { maxLength: 8 })
      .map((fields) =>
        Buffer.concat(fields.map(([tag, bytes]) => Buffer.from([tag, bytes.length, ...bytes]))),
      ),
  )
  await fc.assert(
    fc.asyncProperty(request, async (bytes) => {
      const code = await sendRaw(client, bytes)
      expect([status.OK, status.INVALID_ARGUMENT, status.INTERNAL]).toContain(code)
    }),
    { numRuns: 200 },
  )
  expect((await agent.fetch(own([]))).resources).toHaveLength(1)
  client.close()
})

test.for(['StreamSecrets', 'DeltaSecrets'])(
  'bytes that are no request end a stream of %s, and are no defect of the agent',
  async (method) => {
    await using agent = await open()
    const client = new Client(`unix:${agent.path}`, credentials.createInsecure())
    const path = `/envoy.service.secret.v3.SecretDiscoveryService/${method}`
    const raw = (bytes: Buffer) => bytes
    const stream = client.makeBidiStreamRequest(path, raw, raw, secured())
    const coming = stream[Symbol.asyncIterator]()
    stream.write(Buffer.from([0x0a, 0xff, 0xff]))
    await expect(coming.next()).rejects.toMatchObject({ code: status.INTERNAL })
    await expect.poll(() => agent.source.watchers).toBe(0)
    expect(agent.lines.filter(({ level }) => level === 'error')).toEqual([])
    client.close()
  },
)

test('metadata nested deeper than any stack is refused, and the agent goes on', async () => {
  await using agent = await open()
  const client = new Client(`unix:${agent.path}`, credentials.createInsecure())
  // A list of one value, which is a list of one value, and so on: as deep as a request may be long.
  const heads: Buffer[] = []
  let length = 0
  const within = (tag: number, before = Buffer.alloc(0)) => {
    const head = Buffer.concat([Buffer.from([tag]), varint(before.length + length), before])
    heads.push(head)
    length += head.length
  }
  while (length < 200_000) {
    within(0x0a)
    within(0x32)
  }
  within(0x12)
  within(0x0a, Buffer.from([0x0a, 1, 0x78]))
  within(0x1a)
  within(0x12)
  expect(await sendRaw(client, Buffer.concat(heads.reverse()))).toBe(status.INTERNAL)
  expect((await agent.fetch(own([]))).resources).toHaveLength(1)
  client.close()
})

function varint(value: number): Buffer {
  const bytes: number[] = []
  let left = value
  for (; left > 0x7f; left >>>= 7) bytes.push((left & 0x7f) | 0x80)
  return Buffer.from([...bytes, left])
}
