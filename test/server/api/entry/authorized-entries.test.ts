import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { BatchCreateEntryResponse } from '../../../../proto/gen/spire/api/server/entry/v1/BatchCreateEntryResponse.ts'
import type { GetAuthorizedEntriesResponse } from '../../../../proto/gen/spire/api/server/entry/v1/GetAuthorizedEntriesResponse.ts'
import type { SyncAuthorizedEntriesResponse } from '../../../../proto/gen/spire/api/server/entry/v1/SyncAuthorizedEntriesResponse.ts'
import { fromStatus } from '../../../../proto/status.ts'
import { pathOf } from '../../../../spiffe/id.ts'
import {
  type AttestedAgent,
  type Clients,
  call,
  startTestServer,
  type TestServer,
} from '../../running-server.ts'

let server: TestServer
let agent: AttestedAgent
let clients: Clients
beforeAll(async () => {
  server = await startTestServer()
  agent = await server.attest()
  clients = await server.connect(agent.certificate)
})
afterAll(() => server[Symbol.asyncDispose]())

const wireId = (path: string) => ({ trust_domain: 'example.org', path })

async function create(entries: readonly { id: string; parent: string }[]) {
  const { results } = await call<BatchCreateEntryResponse>((done) =>
    server.admin.entry.BatchCreateEntry(
      {
        entries: entries.map(({ id, parent }) => ({
          id,
          spiffe_id: wireId(`/${id}`),
          parent_id: wireId(parent),
          selectors: [{ type: 'unix', value: 'uid:1' }],
        })),
      },
      done,
    ),
  )
  expect(results.every(({ status }) => status?.code === 0)).toBe(true)
}

const authorized = async () => {
  const { entries } = await call<GetAuthorizedEntriesResponse>((done) =>
    clients.entry.GetAuthorizedEntries({}, done),
  )
  return entries.map(({ id }) => id).sort()
}

test('an agent hears of its entries and of those below them, and of no others', async () => {
  await create([
    { id: 'mine', parent: pathOf(agent.id) },
    { id: 'below-mine', parent: '/mine' },
    { id: 'not-mine', parent: '/spire/agent/join_token/somebody-else' },
  ])
  await expect.poll(authorized).toEqual(['below-mine', 'mine'])
})

test('SyncAuthorizedEntries pages revisions of many entries and then sends those asked for', async () => {
  await create(
    Array.from({ length: 500 }, (_, n) => ({ id: `many-${n}`, parent: pathOf(agent.id) })),
  )
  await expect.poll(async () => (await authorized()).length).toBe(502)

  const stream = clients.entry.SyncAuthorizedEntries()
  const answers = stream[Symbol.asyncIterator]()
  const next = async (): Promise<SyncAuthorizedEntriesResponse> => (await answers.next()).value
  stream.write({})
  const first = await next()
  const second = await next()
  expect([first.entry_revisions.length, first.more]).toEqual([500, true])
  expect([second.entry_revisions.length, second.more]).toEqual([2, false])
  stream.write({ ids: ['mine', 'unknown'] })
  const third = await next()
  expect(third.entries.map(({ id }) => id)).toEqual(['mine'])
  expect(third.more).toBe(false)
  stream.end()
  expect((await answers.next()).done).toBe(true)
})

test('a caller that cancels in the middle of a sync is no failure', async () => {
  const failuresBefore = server.lines.filter(({ msg }) => msg.startsWith('Call failed')).length
  const stream = clients.entry.SyncAuthorizedEntries()
  stream.on('error', () => {})
  const got = new Promise((resolve) => stream.once('data', resolve))
  stream.write({})
  await got
  stream.cancel()
  expect(await authorized()).toContain('mine')
  expect(server.lines.filter(({ msg }) => msg.startsWith('Call failed'))).toHaveLength(
    failuresBefore,
  )
})

test('an evicted agent is told that it is not attested, in the details of the status', async () => {
  const evicted = await server.attest()
  const others = await server.connect(evicted.certificate)
  const ask = () => call((done) => others.entry.GetAuthorizedEntries({}, done))
  await ask()
  await call((done) => server.admin.agent.DeleteAgent({ id: wireId(pathOf(evicted.id)) }, done))
  await expect(ask()).rejects.toMatchObject({
    code: status.PERMISSION_DENIED,
    details:
      'authorization denied for method /spire.api.server.entry.v1.Entry/GetAuthorizedEntries',
  })
  expect(await ask().catch(fromStatus)).toMatchObject({ code: 'AGENT_NOT_ATTESTED' })
})

test('neither an anonymous caller nor the admin socket is an agent', async () => {
  const anonymous = await server.connect()
  for (const { entry } of [anonymous, server.admin]) {
    const error = await call((done) => entry.GetAuthorizedEntries({}, done)).catch(fromStatus)
    expect(error).toMatchObject({ code: 'NOT_AUTHORIZED' })
  }
})
