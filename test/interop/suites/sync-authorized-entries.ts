/**
 * 2,000 entries below one agent, which is four pages: it learns of every one of them, also of what changes later on any
 * page, and serves those that concern a workload. Below it the same exchange by hand, page by page.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { SyncAuthorizedEntriesRequestInput } from '../../../proto/gen/spire/api/server/entry/v1/SyncAuthorizedEntriesRequest.ts'
import type { SyncAuthorizedEntriesResponse } from '../../../proto/gen/spire/api/server/entry/v1/SyncAuthorizedEntriesResponse.ts'
import { generateToken, type Server } from '../../processes/cluster.ts'
import { until } from '../../processes/process.ts'
import {
  type Cell,
  deleteEntry,
  isServed,
  openAgent,
  openServer,
  ours,
  POLL_MS,
  register,
  succeed,
  told,
} from './cell.ts'
import { attestByHand, byToken } from './node-by-hand.ts'
import { type Clients, connect } from './rpc.ts'

const ENTRIES = 2_000
/** What a server sends at once. */
const PAGE = 500
/** Every so many-th entry is for the tests' own processes. */
const STRIDE = 400

const MASK = { spiffe_id: true, selectors: true, revision_number: true }

const entryId = (at: number) => `entry-${String(at).padStart(4, '0')}`
const spiffeId = (at: number) => `spiffe://example.org/many/${at}`
const concerned = Array.from({ length: ENTRIES / STRIDE }, (_, nth) => nth * STRIDE + STRIDE - 1)

async function createMany(server: Server, parentId: string, prefix: string): Promise<void> {
  const path = join(server.dir, `${prefix}.json`)
  const [type, ...value] = ours.split(':')
  const entries = Array.from({ length: ENTRIES }, (_, at) => ({
    entry_id: `${prefix}${entryId(at)}`,
    parent_id: parentId,
    spiffe_id: spiffeId(at),
    selectors: concerned.includes(at)
      ? [{ type, value: value.join(':') }]
      : [{ type: 'unix', value: `user:nobody-${at}` }],
  }))
  writeFileSync(path, JSON.stringify({ entries }))
  await succeed(server, 'entry', 'create', '-data', path)
}

export async function tell(cell: Cell): Promise<void> {
  await using server = await openServer(cell)
  await using agent = await openAgent(cell, server, { settings: 'x509_svid_cache_max_size = 10' })
  await createMany(server, agent.id, '')
  expect(await told(server, 'entry', 'count')).toMatchObject({ count: ENTRIES })
  const first = concerned.map(spiffeId)
  await until('the entries of every page', () => isServed(agent, ...first), POLL_MS)

  // Something new, something changed, something gone: on pages far from each other.
  await register(server, agent.id, 'spiffe://example.org/new', '-entryID', 'zzz')
  const changed = ['-selector', ours, '-parentID', agent.id, '-spiffeID']
  await succeed(server, 'entry', 'update', '-entryID', entryId(0), ...changed, spiffeId(9_999))
  await deleteEntry(server, entryId(STRIDE - 1))
  const then = [...first.slice(1), 'spiffe://example.org/new', spiffeId(9_999)]
  await until('what was changed', () => isServed(agent, ...then), POLL_MS)
  await server.restart()
  await agent.restart()
  await until('all of it after a restart of both', () => isServed(agent, ...then), POLL_MS)
  await byHand(server)
}

async function byHand(server: Server): Promise<void> {
  const node = await attestByHand(server, byToken(await generateToken(server)))
  using clients = await connect(server, node.identity)
  // Few entries come at once and complete.
  const few = await register(server, node.id, 'spiffe://example.org/few')
  await until('the server to know of the first entry', async () => {
    await using exchange = sync(clients)
    exchange.ask({ output_mask: MASK })
    const { entries, more } = await exchange.next()
    expect(more).toBe(false)
    return entries.map(({ id }) => id).join() === few
  })

  await createMany(server, node.id, 'hand-')
  await until('the server to announce all of them', async () => {
    await using exchange = sync(clients)
    const revisions = await announced(exchange)
    if (revisions.length !== ENTRIES + 1) return false
    expect(new Set(revisions).size).toBe(ENTRIES + 1)
    const asked = revisions.slice(0, PAGE - 1)
    exchange.ask({ ids: [...asked, 'nobody'] })
    const { entries, more } = await exchange.next()
    expect(more).toBe(false)
    expect(entries.map(({ id }) => id).toSorted()).toEqual(asked.toSorted())
    expect(entries.every(({ selectors }) => selectors.length === 1)).toBe(true)
    expect(entries.every(({ parent_id: parentId }) => parentId === null)).toBe(true)
    return true
  })
}

/** IDs of all entries that the server names in one exchange, page by page. */
async function announced(exchange: Exchange): Promise<readonly string[]> {
  exchange.ask({ output_mask: MASK })
  const ids: string[] = []
  for (;;) {
    const { entry_revisions: revisions, more } = await exchange.next()
    expect(revisions.length).toBeLessThanOrEqual(PAGE)
    ids.push(...revisions.map(({ id }) => id))
    if (!more) return ids
  }
}

interface Exchange extends AsyncDisposable {
  ask(request: SyncAuthorizedEntriesRequestInput): void
  next(): Promise<SyncAuthorizedEntriesResponse>
}

function sync(clients: Clients): Exchange {
  const stream = clients.entry.SyncAuthorizedEntries()
  // Cast: grpc-js types its streams as streams of anything.
  const answers = stream[Symbol.asyncIterator]() as AsyncIterator<SyncAuthorizedEntriesResponse>
  return {
    ask: (request) => void stream.write(request),
    next: async () => (await answers.next()).value,
    async [Symbol.asyncDispose]() {
      stream.end()
      await answers.return?.()
    },
  }
}
