import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RenewAgentResponse } from '../../../../proto/gen/spire/api/server/agent/v1/RenewAgentResponse.ts'
import type { BatchSetFederatedBundleResponse } from '../../../../proto/gen/spire/api/server/bundle/v1/BatchSetFederatedBundleResponse.ts'
import type { BatchCreateEntryResponse } from '../../../../proto/gen/spire/api/server/entry/v1/BatchCreateEntryResponse.ts'
import type { WatchResponse } from '../../../../proto/gen/steeple/server/sync/v1/WatchResponse.ts'
import { fromStatus } from '../../../../proto/status.ts'
import { pathOf, type SpiffeId } from '../../../../spiffe/id.ts'
import { generateKey, spkiOf } from '../../../../spiffe/key.ts'
import { createCsr } from '../../../../spiffe/x509/csr.ts'
import { toPemChain } from '../../../../spiffe/x509/pem.ts'
import {
  type AttestedAgent,
  type Clients,
  call,
  messagesOf,
  startTestServer,
  type TestServer,
} from '../../running-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server[Symbol.asyncDispose]())

const wireId = (path: string) => ({ trust_domain: 'example.org', path })
const idsOf = ({ entries }: WatchResponse) => entries.map(({ id }) => id)

async function create(parent: SpiffeId | string, ...ids: string[]) {
  const parent_id = wireId(parent.startsWith('/') ? parent : pathOf(parent as SpiffeId))
  const entries = ids.map((id) => ({
    id,
    spiffe_id: wireId(`/${id}`),
    parent_id,
    selectors: [{ type: 'unix', value: 'uid:1' }],
  }))
  const { results } = await call<BatchCreateEntryResponse>((done) =>
    server.admin.entry.BatchCreateEntry({ entries }, done),
  )
  expect(results.every((result) => result.status?.code === 0)).toBe(true)
}

const remove = (...ids: string[]) =>
  call((done) => server.admin.entry.BatchDeleteEntry({ ids }, done))

/** A watch and its messages, one at a time. */
async function watch(agent: AttestedAgent, clients?: Clients) {
  const { sync } = clients ?? (await server.connect(agent.certificate))
  const stream = sync.Watch({})
  const messages = messagesOf(stream)
  const next = async (): Promise<WatchResponse> => {
    const { value, done } = await messages.next()
    if (done) throw new Error('the stream has ended')
    return value
  }
  return { next, [Symbol.dispose]: () => stream.cancel() }
}

test('the complete state comes first, then every change as it happens', async () => {
  const agent = await server.attest()
  await create(agent.id, 'before')
  using watching = await watch(agent)
  const first = await watching.next()
  expect(first).toMatchObject({
    snapshot: true,
    more: false,
    bundle: { trust_domain: 'example.org' },
  })
  // The index may have been a moment behind the commit when the watch began.
  if (first.entries.length === 0) expect(idsOf(await watching.next())).toEqual(['before'])
  else expect(idsOf(first)).toEqual(['before'])

  await create(agent.id, 'added')
  const added = await watching.next()
  expect(added).toMatchObject({ snapshot: false, bundle: null, removed_entry_ids: [] })
  expect(added.entries).toMatchObject([
    {
      id: 'added',
      spiffe_id: wireId('/added'),
      revision_number: 0,
      parent_id: wireId(pathOf(agent.id)),
    },
  ])

  await call((done) =>
    server.admin.entry.BatchUpdateEntry(
      { entries: [{ id: 'added', hint: 'new' }], input_mask: { hint: true } },
      done,
    ),
  )
  expect((await watching.next()).entries).toMatchObject([
    { id: 'added', hint: 'new', revision_number: 1 },
  ])

  await remove('added')
  expect(await watching.next()).toMatchObject({ entries: [], removed_entry_ids: ['added'] })
})

test('entries below an entry come and go with it', async () => {
  const agent = await server.attest()
  await create('/middle', 'leaf')
  using watching = await watch(agent)
  expect(idsOf(await watching.next())).toEqual([])
  await create(agent.id, 'middle')
  expect(idsOf(await watching.next()).sort()).toEqual(['leaf', 'middle'])
  await remove('middle')
  expect((await watching.next()).removed_entry_ids.sort()).toEqual(['leaf', 'middle'])
  await remove('leaf')
})

test('an agent does not hear of what is none of its business', async () => {
  const [agent, other] = [await server.attest(), await server.attest()]
  using watching = await watch(agent)
  await watching.next()
  await create(other.id, 'of-the-other')
  await create(agent.id, 'of-mine')
  expect(idsOf(await watching.next())).toEqual(['of-mine'])
})

test('a change of the bundle is told to every agent', async () => {
  const agents = [await server.attest(), await server.attest()]
  const watches = await Promise.all(agents.map((agent) => watch(agent)))
  for (const watching of watches) await watching.next()
  const public_key = spkiOf(await generateKey('ec-p256'))
  await call((done) =>
    server.admin.bundle.AppendBundle({ jwt_authorities: [{ public_key, key_id: 'new' }] }, done),
  )
  for (const watching of watches) {
    const { bundle, entries } = await watching.next()
    expect(entries).toEqual([])
    expect(bundle?.jwt_authorities.map(({ key_id }) => key_id)).toContain('new')
    watching[Symbol.dispose]()
  }
})

test('many entries come in pages, of which none may be used before the last', async () => {
  const agent = await server.attest()
  await create(agent.id, ...Array.from({ length: 1_100 }, (_, n) => `page-${n}`))
  const { entry } = await server.connect(agent.certificate)
  const count = () =>
    call<{ entries: unknown[] }>((done) => entry.GetAuthorizedEntries({}, done)).then(
      ({ entries }) => entries.length,
    )
  await expect.poll(count).toBe(1_100)
  using watching = await watch(agent)
  const pages = [await watching.next(), await watching.next(), await watching.next()]
  expect(pages.map(({ entries }) => entries.length)).toEqual([500, 500, 100])
  expect(pages.map(({ more }) => more)).toEqual([true, true, false])
  expect(pages.map(({ bundle }) => bundle !== null)).toEqual([false, false, true])
})

test.for([
  [
    'banned',
    (id: SpiffeId) => call((done) => server.admin.agent.BanAgent({ id: wireId(pathOf(id)) }, done)),
    'AGENT_BANNED',
  ],
  [
    'evicted',
    (id: SpiffeId) =>
      call((done) => server.admin.agent.DeleteAgent({ id: wireId(pathOf(id)) }, done)),
    'AGENT_NOT_ATTESTED',
  ],
] as const)('the stream of an agent that is %s ends with the reason', async ([, end, code]) => {
  const agent = await server.attest()
  using watching = await watch(agent)
  await watching.next()
  await end(agent.id)
  expect(await watching.next().catch(fromStatus)).toMatchObject({ code })
})

test('when another SVID of the agent has taken over, the old stream ends, so that the agent connects again', async () => {
  const agent = await server.attest()
  const old = await server.connect(agent.certificate)
  using watching = await watch(agent, old)
  await watching.next()
  const key = await generateKey('ec-p256')
  const { svid } = await call<RenewAgentResponse>((done) =>
    old.agent.RenewAgent({ params: { csr: createCsr({ key }) } }, done),
  )
  const renewed = await server.connect({
    chain: toPemChain(svid?.cert_chain ?? []),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  })
  using again = await watch(agent, renewed)
  expect((await again.next()).snapshot).toBe(true)
  await expect(watching.next()).rejects.toThrow('the stream has ended')
})

test('of too many streams of one agent, the oldest is ended', async () => {
  const agent = await server.attest()
  const clients = await server.connect(agent.certificate)
  const watches = []
  for (let n = 0; n < 5; n++) {
    const watching = await watch(agent, clients)
    await watching.next()
    watches.push(watching)
  }
  await expect(watches[0]?.next()).rejects.toThrow('the stream has ended')
  await create(agent.id, 'for-all')
  for (const watching of watches.slice(1)) {
    expect(idsOf(await watching.next())).toEqual(['for-all'])
    watching[Symbol.dispose]()
  }
})

test('a server that stops ends its streams first, and stops at once', async () => {
  const other = await startTestServer()
  const agent = await other.attest()
  const { sync } = await other.connect(agent.certificate)
  const messages = messagesOf(sync.Watch({}))
  await messages.next()
  const ended = messages.next()
  await other[Symbol.asyncDispose]()
  expect((await ended).done).toBe(true)
})

test('a federated bundle reaches the agents whose entries federate with it at the moment it is written', async () => {
  const agent = await server.attest()
  const write = (sequence_number: number) =>
    call<BatchSetFederatedBundleResponse>((done) =>
      server.admin.bundle.BatchSetFederatedBundle(
        { bundle: [{ trust_domain: 'partner.org', sequence_number }] },
        done,
      ),
    )
  await write(1)
  await call((done) =>
    server.admin.entry.BatchCreateEntry(
      {
        entries: [
          {
            spiffe_id: wireId('/federating'),
            parent_id: wireId(pathOf(agent.id)),
            selectors: [{ type: 'unix', value: 'uid:1' }],
            federates_with: ['partner.org'],
          },
        ],
      },
      done,
    ),
  )
  using watching = await watch(agent)
  const seen: number[] = []
  const seenUntil = async (sequence: number) => {
    while (seen.at(-1) !== sequence) {
      const { federated_bundles } = await watching.next()
      seen.push(...federated_bundles.map(({ sequence_number }) => sequence_number))
    }
  }
  await seenUntil(1)
  await write(2)
  await seenUntil(2)
  expect(seen).toEqual([1, 2])
})
