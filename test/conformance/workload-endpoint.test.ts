/** SPIFFE Workload Endpoint, the server's side: who may call, how, and what failures look like. */
import { connect } from 'node:net'
import { Metadata, status } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { workloadApi } from '../../proto/load.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { fakeIdentity } from '../fakes/identity-source.ts'
import { messages, next, openWorkloadEndpoint, secured } from '../fakes/workload-endpoint.ts'

const web = fakeIdentity('spiffe://example.org/web')

const METHODS = [
  'FetchX509SVID',
  'FetchX509Bundles',
  'FetchJWTSVID',
  'FetchJWTBundles',
  'ValidateJWTSVID',
  'FetchWITSVID',
  'FetchWITBundles',
] as const

type Endpoint = Awaited<ReturnType<typeof openWorkloadEndpoint>>

/** Calls a method with an otherwise complete request and resolves with its status. */
async function statusOf(endpoint: Endpoint, method: (typeof METHODS)[number], headers: Metadata) {
  const { client } = endpoint
  const call = async (): Promise<unknown> => {
    switch (method) {
      case 'FetchJWTSVID':
        return await endpoint.fetchJwtSvid({ audience: ['a'] }, headers)
      case 'ValidateJWTSVID':
        return await endpoint.validateJwtSvid({ audience: 'a', svid: 'x' }, headers)
      default:
        return await next(messages<unknown>(client[method]({}, headers)))
    }
  }
  return await call().then(
    () => ({ code: status.OK, details: '' }),
    ({ code, details }) => ({ code, details }),
  )
}

function headers(...values: readonly string[]): Metadata {
  const metadata = new Metadata()
  for (const value of values) metadata.add('workload.spiffe.io', value)
  return metadata
}

test('E-1 speaks gRPC on a Unix socket, and closes on whoever speaks anything else', async () => {
  await using endpoint = await openWorkloadEndpoint()
  endpoint.source.set({ identities: [web] })
  await next(messages(endpoint.client.FetchX509SVID({}, secured())))
  const socket = connect(endpoint.path)
  socket.on('error', () => {})
  const received: Buffer[] = []
  socket.on('data', (chunk) => received.push(chunk))
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nworkload.spiffe.io: true\r\n\r\n')
  await new Promise((resolve) => socket.once('close', resolve))
  expect(Buffer.concat(received).toString('latin1')).not.toContain('spiffe://')
})

test.for(METHODS)('E-2 refuses %s without the security header', async (method) => {
  await using endpoint = await openWorkloadEndpoint()
  endpoint.source.set({ identities: [web] })
  expect(await statusOf(endpoint, method, new Metadata())).toEqual({
    code: status.INVALID_ARGUMENT,
    details: 'security header missing from request',
  })
})

test.for([[''], ['false'], ['TRUE'], ['1'], ['true', 'true'], ['true', 'false'], ['true,true']])(
  'E-2 refuses a call whose security header is %j',
  async (values) => {
    await using endpoint = await openWorkloadEndpoint()
    endpoint.source.set({ identities: [web] })
    expect(await statusOf(endpoint, 'FetchX509SVID', headers(...values))).toMatchObject({
      code: status.INVALID_ARGUMENT,
    })
  },
)

test('E-2 refuses before the caller is attested or anything is looked up', async () => {
  let attested = 0
  await using endpoint = await openWorkloadEndpoint({
    attest: async () => {
      attested += 1
      return new Set()
    },
  })
  for (const method of METHODS) await statusOf(endpoint, method, new Metadata())
  expect(attested).toBe(0)
  expect(endpoint.source.asked).toEqual([])
})

test('E-2 serves a call whose security header is exactly true', async () => {
  await using endpoint = await openWorkloadEndpoint()
  endpoint.source.set({ identities: [web] })
  expect((await statusOf(endpoint, 'FetchX509SVID', headers('true'))).code).toBe(status.OK)
})

test('E-3 demands neither TLS nor a credential: a bare connection gets its identity', async () => {
  await using endpoint = await openWorkloadEndpoint()
  endpoint.source.set({ identities: [web] })
  const { svids } = await next(messages(endpoint.client.FetchX509SVID({}, headers('true'))))
  expect(svids.map(({ spiffe_id }) => spiffe_id)).toEqual([web.id])
})

test('E-5 no identity is PermissionDenied, on every method that hands one out', async () => {
  await using endpoint = await openWorkloadEndpoint()
  for (const method of METHODS.slice(0, 4)) {
    expect(await statusOf(endpoint, method, secured()), method).toEqual({
      code: status.PERMISSION_DENIED,
      details: 'no identity issued',
    })
  }
})

test('E-5 a caller that cannot be attested now is Unavailable, so that it tries again', async () => {
  await using endpoint = await openWorkloadEndpoint({
    attest: async () => {
      throw new IdentityError('ATTESTATION_FAILED', 'workload attestation failed')
    },
  })
  endpoint.source.set({ identities: [web] })
  for (const method of METHODS.slice(0, 4)) {
    expect((await statusOf(endpoint, method, secured())).code, method).toBe(status.UNAVAILABLE)
  }
})

test('E-5 a stream that the agent ends because it stops is Unavailable', async () => {
  await using endpoint = await openWorkloadEndpoint()
  endpoint.source.set({ identities: [web] })
  const stream = messages(endpoint.client.FetchX509SVID({}, secured()))
  await next(stream)
  const stopped = endpoint.stop()
  await expect(stream.next()).rejects.toMatchObject({ code: status.UNAVAILABLE })
  await stopped
})

test('E-6 the standard service has the seven methods of the specification and no other', async () => {
  await using endpoint = await openWorkloadEndpoint()
  const paths = Object.values(workloadApi().service).map(({ path }) => path)
  expect(paths.sort()).toEqual(METHODS.map((method) => `/SpiffeWorkloadAPI/${method}`).sort())
  const unknown = new Promise((resolve) => {
    endpoint.client.makeUnaryRequest(
      '/SpiffeWorkloadAPI/FetchEverything',
      () => Buffer.alloc(0),
      (bytes: Buffer) => bytes,
      {},
      secured(),
      (error) => resolve(error?.code),
    )
  })
  expect(await unknown).toBe(status.UNIMPLEMENTED)
})
