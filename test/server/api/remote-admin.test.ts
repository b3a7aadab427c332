import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fromStatus } from '../../../proto/status.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import {
  type Clients,
  call,
  connectAs,
  startTestServer,
  type TestServer,
} from '../running-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({
    config: { adminIds: [parseSpiffeId('spiffe://example.org/ops')] },
  })
})
afterAll(() => server[Symbol.asyncDispose]())

const as = (id: string) => connectAs(server, id)

const count = ({ entry }: Clients) => call((done) => entry.CountEntries({}, done))

test('an ID of admin_ids administers over the port', async () => {
  await count(await as('spiffe://example.org/ops'))
})

test('an ID of an admin entry does, for as long as there is the entry', async () => {
  const clients = await as('spiffe://example.org/by-entry')
  await expect(count(clients)).rejects.toMatchObject({
    code: status.PERMISSION_DENIED,
    details: 'authorization denied for method /spire.api.server.entry.v1.Entry/CountEntries',
  })
  const wireId = (path: string) => ({ trust_domain: 'example.org', path })
  const entry = {
    id: 'admin',
    spiffe_id: wireId('/by-entry'),
    parent_id: wireId('/n'),
    selectors: [{ type: 'unix', value: 'uid:1' }],
    admin: true,
  }
  await call((done) => server.admin.entry.BatchCreateEntry({ entries: [entry] }, done))
  await expect.poll(() => count(clients).catch(() => undefined)).toBeDefined()
  await call((done) => server.admin.entry.BatchDeleteEntry({ ids: ['admin'] }, done))
  await expect
    .poll(() => count(clients).catch(fromStatus))
    .toMatchObject({
      code: 'NOT_AUTHORIZED',
    })
})

test('a workload is told what it may not do, and that it is no agent', async () => {
  const clients = await as('spiffe://example.org/w')
  expect(await count(clients).catch(fromStatus)).toMatchObject({ code: 'NOT_AUTHORIZED' })
  const asAgent = call((done) => clients.entry.GetAuthorizedEntries({}, done))
  expect(await asAgent.catch(fromStatus)).toMatchObject({ code: 'AGENT_NOT_ATTESTED' })
  const line = server.lines.find(({ method }) => String(method).endsWith('/GetAuthorizedEntries'))
  expect(line).toMatchObject({
    caller_id: 'spiffe://example.org/w',
    code: 'PERMISSION_DENIED',
    agent: 'agent "spiffe://example.org/w" is not attested',
  })
})

test('an anonymous caller may read the bundle and nothing else', async () => {
  const anonymous = await server.connect()
  await call((done) => anonymous.bundle.GetBundle({}, done))
  expect(await count(anonymous).catch(fromStatus)).toMatchObject({ code: 'NOT_AUTHORIZED' })
})
