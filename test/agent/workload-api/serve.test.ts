import { once } from 'node:events'
import { statSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { credentials, status } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { NO_RATES } from '../../../agent/workload-api/rate-limit.ts'
import { healthApi } from '../../../proto/load.ts'
import { emptyBundle } from '../../../spiffe/bundle.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { fakeIdentity } from '../../fakes/identity-source.ts'
import {
  exampleBundle,
  messages,
  next,
  openWorkloadEndpoint,
  secured,
  unary,
} from '../../fakes/workload-endpoint.ts'

const web = fakeIdentity('spiffe://example.org/web')
const db = fakeIdentity('spiffe://example.org/db', { hint: 'internal' })
const partnerBundle = {
  ...emptyBundle(parseTrustDomain('partner.org')),
  x509Authorities: [{ der: Buffer.from('partner root;'), tainted: false }],
}
const noIdentity = { code: status.PERMISSION_DENIED, details: 'no identity issued' }

test('everybody may open the socket, in a directory that only the agent may change', async () => {
  await using endpoint = await openWorkloadEndpoint()
  expect(statSync(endpoint.path).mode & 0o777).toBe(0o777)
  expect(statSync(dirname(endpoint.path)).mode & 0o777).toBe(0o755)
})

test('a workload gets its SVIDs as DER, each with key, own bundle and hint', async () => {
  await using endpoint = await openWorkloadEndpoint()
  endpoint.source.set({ identities: [web, db] })
  const stream = messages(endpoint.client.FetchX509SVID({}, secured()))
  expect(await next(stream)).toEqual({
    svids: [
      {
        spiffe_id: 'spiffe://example.org/web',
        x509_svid: Buffer.from('leaf of spiffe://example.org/web;intermediate;'),
        x509_svid_key: Buffer.from('key of spiffe://example.org/web'),
        bundle: Buffer.from('root 1;root 2;'),
        hint: '',
      },
      {
        spiffe_id: 'spiffe://example.org/db',
        x509_svid: Buffer.from('leaf of spiffe://example.org/db;intermediate;'),
        x509_svid_key: Buffer.from('key of spiffe://example.org/db'),
        bundle: Buffer.from('root 1;root 2;'),
        hint: 'internal',
      },
    ],
    crl: [],
    federated_bundles: {},
  })
})

test('selectors of the very process that calls are what identities are looked up by', async () => {
  await using endpoint = await openWorkloadEndpoint()
  endpoint.source.set({ identities: [web] })
  await next(messages(endpoint.client.FetchX509SVID({}, secured())))
  expect(endpoint.source.asked[0]).toContain(`unix:uid:${process.geteuid?.()}`)
})

test('bundles of other trust domains are keyed by their SPIFFE ID', async () => {
  await using endpoint = await openWorkloadEndpoint()
  endpoint.source.set({ identities: [web], federatedBundles: [partnerBundle] })
  const svids = messages(endpoint.client.FetchX509SVID({}, secured()))
  expect((await next(svids)).federated_bundles).toEqual({
    'spiffe://partner.org': Buffer.from('partner root;'),
  })
  const bundles = messages(endpoint.client.FetchX509Bundles({}, secured()))
  expect((await next(bundles)).bundles).toEqual({
    'spiffe://example.org': Buffer.from('root 1;root 2;'),
    'spiffe://partner.org': Buffer.from('partner root;'),
  })
})

test('a change reaches an open stream as the complete new state', async () => {
  await using endpoint = await openWorkloadEndpoint()
  endpoint.source.set({ identities: [web, db], federatedBundles: [partnerBundle] })
  const stream = messages(endpoint.client.FetchX509SVID({}, secured()))
  await next(stream)
  endpoint.source.set({ identities: [db], federatedBundles: [] })
  const update = await next(stream)
  expect(update.svids.map(({ spiffe_id }) => spiffe_id)).toEqual(['spiffe://example.org/db'])
  expect(update.federated_bundles).toEqual({})
})

test('refuses a workload that no entry matches, and says in the log what to do', async () => {
  await using endpoint = await openWorkloadEndpoint()
  const stream = messages(endpoint.client.FetchX509SVID({}, secured()))
  await expect(stream.next()).rejects.toMatchObject(noIdentity)
  expect(endpoint.lines.find(({ level }) => level === 'info')).toMatchObject({
    msg: expect.stringContaining('create an entry'),
    method: 'FetchX509SVID',
    pid: process.pid,
    uid: process.geteuid?.(),
    entries: 0,
  })
  const shown = endpoint.lines.filter((line) => 'selectors' in line)
  expect(shown.map(({ level }) => level)).toEqual(['debug'])
})

test('the log tells why, and no more than the caller of it: that gets SPIRE’s text', async () => {
  const asked: number[] = []
  await using endpoint = await openWorkloadEndpoint({
    whyNone({ caller, selectors }) {
      asked.push(caller.pid, selectors.size)
      return { why: 'entry e1 comes closest', entry_id: 'e1' }
    },
  })
  for (const method of ['FetchX509SVID', 'FetchX509Bundles', 'FetchJWTBundles'] as const) {
    const stream: AsyncIterator<unknown> = endpoint.client[method]({}, secured())[
      Symbol.asyncIterator
    ]()
    await expect(stream.next()).rejects.toMatchObject(noIdentity)
  }
  await expect(endpoint.fetchJwtSvid({ audience: ['a'] })).rejects.toMatchObject(noIdentity)
  const told = endpoint.lines.filter(({ why }) => why === 'entry e1 comes closest')
  expect(told).toHaveLength(4)
  expect(asked[0]).toBe(process.pid)
  expect(asked[1]).toBeGreaterThan(0)
})

test('a workload that asks for an ID of somebody else is told no more than that it has none', async () => {
  await using endpoint = await openWorkloadEndpoint()
  endpoint.source.set({ identities: [web] })
  const wish = { audience: ['a'], spiffe_id: 'spiffe://example.org/db' }
  await expect(endpoint.fetchJwtSvid(wish)).rejects.toMatchObject(noIdentity)
  expect(endpoint.lines.map(({ why }) => why)).toContain(
    'it asked for spiffe://example.org/db, which is not an identity of its own',
  )
})

test('refuses the call that comes too soon, of this method alone', async () => {
  const exceeded: string[] = []
  await using endpoint = await openWorkloadEndpoint({
    rates: { ...NO_RATES, FetchX509SVID: 1 },
    onRateExceeded: (method) => void exceeded.push(method),
  })
  endpoint.source.set({ identities: [web] })
  const fetch = () => next(messages(endpoint.client.FetchX509SVID({}, secured())))
  await fetch()
  await expect(fetch()).rejects.toMatchObject({
    code: status.UNAVAILABLE,
    details: 'rate limit exceeded for /SpiffeWorkloadAPI/FetchX509SVID',
  })
  expect(exceeded).toEqual(['/SpiffeWorkloadAPI/FetchX509SVID'])
  await next(messages(endpoint.client.FetchX509Bundles({}, secured())))
  endpoint.clock.advance(1_000)
  await fetch()
})

test.for(['FetchX509SVID', 'FetchX509Bundles', 'FetchJWTBundles'] as const)(
  '%s ends with PermissionDenied when the last identity disappears',
  async (method) => {
    await using endpoint = await openWorkloadEndpoint()
    endpoint.source.set({ identities: [web] })
    const stream: AsyncIterator<unknown> = endpoint.client[method]({}, secured())[
      Symbol.asyncIterator
    ]()
    await next(stream)
    endpoint.source.set({ identities: [] })
    await expect(stream.next()).rejects.toMatchObject(noIdentity)
  },
)

test.for(['FetchX509Bundles', 'FetchJWTBundles'] as const)(
  '%s serves a caller without identity only if verifiers need none, and then the own bundle alone',
  async (method) => {
    await using closed = await openWorkloadEndpoint()
    const refused: AsyncIterator<unknown> = closed.client[method]({}, secured())[
      Symbol.asyncIterator
    ]()
    await expect(refused.next()).rejects.toMatchObject(noIdentity)
    await using open = await openWorkloadEndpoint({ allowUnauthenticatedVerifiers: true })
    open.source.set({ federatedBundles: [partnerBundle] })
    const stream: AsyncIterator<{ bundles: object }> = open.client[method]({}, secured())[
      Symbol.asyncIterator
    ]()
    expect(Object.keys((await next(stream)).bundles)).toEqual(['spiffe://example.org'])
  },
)

test('an update that changes nothing in the bundles is not sent again', async () => {
  await using endpoint = await openWorkloadEndpoint()
  endpoint.source.set({ identities: [web] })
  const stream = messages(endpoint.client.FetchX509Bundles({}, secured()))
  await next(stream)
  endpoint.source.set({ identities: [web, db] })
  endpoint.source.set({ bundle: { ...exampleBundle, sequenceNumber: 7 } })
  endpoint.source.set({ federatedBundles: [partnerBundle] })
  const second = await next(stream)
  expect(Object.keys(second.bundles)).toEqual(['spiffe://example.org', 'spiffe://partner.org'])
})

test('JWT bundles are indented key sets without use, sequence or X.509 keys', async () => {
  await using endpoint = await openWorkloadEndpoint()
  endpoint.source.set({ identities: [web] })
  const stream = messages(endpoint.client.FetchJWTBundles({}, secured()))
  const text = (await next(stream)).bundles['spiffe://example.org']?.toString()
  expect(text).toBe('{\n    "keys": []\n}')
})

test('one token for each entry, or for the wished ID alone', async () => {
  await using endpoint = await openWorkloadEndpoint()
  endpoint.source.set({ identities: [web, db] })
  expect(await endpoint.fetchJwtSvid({ audience: ['a', '', 'b'] })).toEqual({
    svids: [
      { spiffe_id: web.id, svid: `token of ${web.id} for a b`, hint: '' },
      { spiffe_id: db.id, svid: `token of ${db.id} for a b`, hint: 'internal' },
    ],
  })
  expect(await endpoint.fetchJwtSvid({ audience: ['a'], spiffe_id: db.id })).toEqual({
    svids: [{ spiffe_id: db.id, svid: `token of ${db.id} for a`, hint: 'internal' }],
  })
})

test.for([
  ['no audience', { audience: [] }, status.INVALID_ARGUMENT, 'audience must be specified'],
  ['an empty audience', { audience: [''] }, status.INVALID_ARGUMENT, 'audience must be specified'],
  [
    'a malformed ID',
    { audience: ['a'], spiffe_id: 'foo' },
    status.INVALID_ARGUMENT,
    /^invalid requested SPIFFE ID: .*scheme is missing or invalid/,
  ],
  [
    "an ID that is not the workload's",
    { audience: ['a'], spiffe_id: 'spiffe://example.org/other' },
    status.PERMISSION_DENIED,
    'no identity issued',
  ],
  ['65 audiences', { audience: Array(65).fill('a') }, status.INVALID_ARGUMENT, /at most 64/],
  [
    'an overlong audience',
    { audience: ['a'.repeat(2_049)] },
    status.INVALID_ARGUMENT,
    /longer than 2048 bytes/,
  ],
] as const)('FetchJWTSVID refuses %s', async ([, request, code, details]) => {
  await using endpoint = await openWorkloadEndpoint()
  endpoint.source.set({ identities: [web] })
  await expect(
    endpoint.fetchJwtSvid({ ...request, audience: [...request.audience] }),
  ).rejects.toMatchObject({
    code,
    details: typeof details === 'string' ? details : expect.stringMatching(details),
  })
})

test('a token that cannot be had now is Unavailable, with the reason', async () => {
  await using endpoint = await openWorkloadEndpoint()
  endpoint.source.set({ identities: [web] })
  endpoint.source.mint = async () => {
    throw new IdentityError('UNAVAILABLE', 'server is away')
  }
  await expect(endpoint.fetchJwtSvid({ audience: ['a'] })).rejects.toMatchObject({
    code: status.UNAVAILABLE,
    details: 'could not fetch JWT-SVID: server is away',
  })
})

test('an entry that disappears before its token is made is left out', async () => {
  await using endpoint = await openWorkloadEndpoint()
  endpoint.source.set({ identities: [web, db] })
  const { mint } = endpoint.source
  endpoint.source.mint = async (entry, audience) => {
    if (entry.id === web.id) throw new IdentityError('NO_IDENTITY_ISSUED', 'no identity issued')
    return await mint(entry, audience)
  }
  const { svids } = await endpoint.fetchJwtSvid({ audience: ['a'] })
  expect(svids.map(({ spiffe_id }) => spiffe_id)).toEqual([db.id])
})

test('a failed attestation is Unavailable and never reads as "no identity"', async () => {
  await using endpoint = await openWorkloadEndpoint({
    attest: async () => {
      throw new IdentityError('ATTESTATION_FAILED', 'workload attestation failed')
    },
  })
  endpoint.source.set({ identities: [web] })
  const stream = messages(endpoint.client.FetchX509SVID({}, secured()))
  await expect(stream.next()).rejects.toMatchObject({
    code: status.UNAVAILABLE,
    details: 'workload attestation failed',
  })
})

test('a process that is no longer who connected loses its connection and may connect again', async () => {
  let calls = 0
  await using endpoint = await openWorkloadEndpoint({
    attest: async () => {
      calls += 1
      if (calls > 1) return new Set()
      throw new IdentityError('CALLER_UNIDENTIFIED', 'now runs as uid 7')
    },
  })
  endpoint.source.set({ identities: [web] })
  const first = messages(endpoint.client.FetchX509SVID({}, secured()))
  await expect(first.next()).rejects.toThrow()
  const again = messages(endpoint.client.FetchX509SVID({}, secured()))
  expect((await next(again)).svids).toHaveLength(1)
})

test('calls beyond the limit of one process are refused, and room is made when a stream ends', async () => {
  await using endpoint = await openWorkloadEndpoint({ streams: { perProcess: 2, total: 10 } })
  endpoint.source.set({ identities: [web] })
  const open = () => endpoint.client.FetchX509SVID({}, secured())
  const streams = [open(), open()]
  for (const stream of streams) await next(messages(stream))
  await expect(next(messages(open()))).rejects.toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
    details: expect.stringContaining('the limit is 2'),
  })
  streams[0]?.cancel()
  await expect
    .poll(async () => {
      const stream = open()
      try {
        return (await next(messages(stream))).svids.length
      } catch {
        return 0
      }
    })
    .toBe(1)
})

test('a process may open no more streams over one connection than it may have calls, and one to be told so', async () => {
  await using endpoint = await openWorkloadEndpoint()
  const session = connectHttp2('http://localhost', {
    createConnection: () => connect(endpoint.path),
  })
  const [settings] = await once(session, 'remoteSettings')
  session.destroy()
  expect(settings.maxConcurrentStreams).toBe(1_025)
})

test('a stream whose caller has gone is forgotten by the source', async () => {
  await using endpoint = await openWorkloadEndpoint()
  endpoint.source.set({ identities: [web] })
  const stream = endpoint.client.FetchX509SVID({}, secured())
  await next(messages(stream))
  expect(endpoint.source.watchers).toBe(1)
  stream.cancel()
  await expect.poll(() => endpoint.source.watchers).toBe(0)
})

test('stopping ends every stream with Unavailable and removes the socket', async () => {
  await using endpoint = await openWorkloadEndpoint()
  endpoint.source.set({ identities: [web] })
  const stream = messages(endpoint.client.FetchX509SVID({}, secured()))
  await next(stream)
  await Promise.all([
    endpoint.stop(),
    expect(stream.next()).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      details: 'the agent is stopping',
    }),
  ])
  expect(statSync(endpoint.path, { throwIfNoEntry: false })).toBeUndefined()
  expect(endpoint.lines.filter(({ level }) => level === 'warn')).toEqual([])
})

test('stopping does not wait for ever for a connection that says nothing', async () => {
  await using endpoint = await openWorkloadEndpoint()
  const silent = connect(endpoint.path)
  await once(silent, 'connect')
  endpoint.source.set({ identities: [web] })
  await next(messages(endpoint.client.FetchX509SVID({}, secured())))
  const stopped = endpoint.stop()
  await endpoint.clock.sleepers(1)
  endpoint.clock.advance(2_000)
  await stopped
  await once(silent.resume(), 'close')
})

test('of the health service only Check is there, as in SPIRE', async () => {
  await using endpoint = await openWorkloadEndpoint()
  const health = new (healthApi())(`unix:${endpoint.path}`, credentials.createInsecure())
  const listed = unary((by, done) => health.List({}, by, done))
  await expect(listed).rejects.toMatchObject({ code: status.UNIMPLEMENTED })
  const watched = messages(health.Watch({})).next()
  await expect(watched).rejects.toMatchObject({
    code: status.UNIMPLEMENTED,
    details: 'method Watch not implemented',
  })
  health.close()
})

test('the health check needs no header, and serves as long as there is a bundle', async () => {
  await using endpoint = await openWorkloadEndpoint()
  expect(await endpoint.checkHealth({})).toEqual({ status: 'SERVING' })
  endpoint.source.set({ bundle: emptyBundle(exampleBundle.trustDomain) })
  expect(await endpoint.checkHealth({})).toEqual({ status: 'NOT_SERVING' })
  await expect(endpoint.checkHealth({ service: 'x' })).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: 'per-service health is not supported',
  })
})

test('no token and no key is in the log, not even at debug level', async () => {
  await using endpoint = await openWorkloadEndpoint()
  endpoint.source.set({ identities: [web] })
  await endpoint.fetchJwtSvid({ audience: ['a'] })
  await next(messages(endpoint.client.FetchX509SVID({}, secured())))
  const text = JSON.stringify(endpoint.lines)
  expect(text).toContain(web.id)
  expect(text).not.toContain('token of')
  expect(text).not.toContain('key of')
})
