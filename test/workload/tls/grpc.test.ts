import { Server, type ServiceError, status } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { healthApi } from '../../../proto/load.ts'
import { type Authorize, authorizeAny, authorizeId } from '../../../workload/tls/authorize.ts'
import { grpcCredentials } from '../../../workload/tls/grpc-credentials.ts'
import { createMtlsServer } from '../../../workload/tls/mtls-server.ts'
import { peerIdOf } from '../../../workload/tls/peer-id.ts'
import { contextOf, currentCa, FakeTlsIdentity, identityOf } from '../../fakes/svids.ts'

const example = await currentCa('example.org')
const partner = await currentCa('partner.org')
const both = [example.bundle, partner.bundle]
const source = async (ca: typeof example, path: string, id?: string) => {
  const fields = id === undefined ? {} : { uriSans: [id] }
  return new FakeTlsIdentity(contextOf(await identityOf(ca, path, { fields }), both))
}
const web = await source(example, '/web')
const db = await source(example, '/db')
const impostor = await source(partner, '/db', 'spiffe://example.org/db')
const onlyDb = authorizeId('spiffe://example.org/db')

/** A health service that notes who asked. */
async function serve(identity: FakeTlsIdentity, authorize: Authorize) {
  const seen: string[] = []
  const grpc = new Server()
  grpc.addService(healthApi().service, {
    Check(call: { getPeer(): string }, callback: (error: null, reply: object) => void) {
      seen.push(peerIdOf(call))
      callback(null, { status: 'SERVING' })
    },
  })
  const server = createMtlsServer(identity, authorize, grpc)
  const { port } = await server.listen({ port: 0, host: '127.0.0.1' })
  return {
    seen,
    address: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

async function check(
  identity: FakeTlsIdentity,
  authorize: Authorize,
  address: string,
): Promise<unknown> {
  const client = new (healthApi())(address, grpcCredentials(identity, authorize))
  const { promise, resolve } = Promise.withResolvers<unknown>()
  client.Check({}, (error: ServiceError | null, reply) => resolve(error ?? reply?.status))
  try {
    return await promise
  } finally {
    client.close()
  }
}

test('client and server know each other, and the handler learns the ID', async () => {
  await using server = await serve(db, authorizeId('spiffe://example.org/web'))
  expect(await check(web, onlyDb, server.address)).toBe('SERVING')
  expect(server.seen).toEqual(['spiffe://example.org/web'])
})

test('two clients at once are told apart', async () => {
  const cache = await source(example, '/cache')
  await using server = await serve(db, authorizeAny())
  await Promise.all([check(web, onlyDb, server.address), check(cache, onlyDb, server.address)])
  expect(server.seen.sort()).toEqual(['spiffe://example.org/cache', 'spiffe://example.org/web'])
})

test.for([
  ['an impostor', impostor, authorizeAny()],
  ['somebody else', db, authorizeId('spiffe://example.org/other')],
] as const)('a client refuses %s and sends it no call', async ([, identity, authorize]) => {
  await using server = await serve(identity, authorizeAny())
  expect(await check(web, authorize, server.address)).toMatchObject({ code: status.UNAVAILABLE })
  expect(server.seen).toEqual([])
})

test.for([
  ['an impostor', impostor, authorizeAny()],
  ['whom it does not want', web, authorizeId('spiffe://example.org/other')],
] as const)('a server refuses %s before any handler runs', async ([, client, authorize]) => {
  await using server = await serve(db, authorize)
  expect(await check(client, authorizeAny(), server.address)).toMatchObject({
    code: status.UNAVAILABLE,
  })
  expect(server.seen).toEqual([])
})

test('a client takes a new SVID for its next connection, and goes on with the open one', async () => {
  const client = await source(example, '/first')
  await using server = await serve(db, authorizeAny())
  const open = new (healthApi())(server.address, grpcCredentials(client, onlyDb))
  const call = () =>
    new Promise((resolve) => {
      open.Check({}, (error, reply) => resolve(error ?? reply?.status))
    })
  expect(await call()).toBe('SERVING')
  client.set(contextOf(await identityOf(example, '/second'), both))
  expect(await call()).toBe('SERVING')
  expect(await check(client, onlyDb, server.address)).toBe('SERVING')
  expect(server.seen).toEqual([
    'spiffe://example.org/first',
    'spiffe://example.org/first',
    'spiffe://example.org/second',
  ])
  open.close()
})
