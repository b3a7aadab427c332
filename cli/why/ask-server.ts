/** What the server knows of the agent, and which entries it has that may be meant for a process. */
import type { RegisteredEntry, ServerFacts } from '../../agent/explain/facts.ts'
import type { ListEntriesResponse } from '../../proto/gen/spire/api/server/entry/v1/ListEntriesResponse.ts'
import type { Agent } from '../../proto/gen/spire/api/types/Agent.ts'
import type { Entry } from '../../proto/gen/spire/api/types/Entry.ts'
import { agentApi, entryApi } from '../../proto/load.ts'
import { fromWireId, fromWireSelector, toWireId } from '../../proto/wire.ts'
import { fromUnixSeconds } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import { attempting, type Endpoint } from '../rpc/endpoint.ts'
import { authorizedParents } from './authorized-parents.ts'

export interface ServerAnswer extends ServerFacts {
  /** As the server has them. */
  readonly wire: ReadonlyMap<string, Entry>
  /** There are more entries than were looked at. */
  readonly isCutOff: boolean
}

const PAGE_SIZE = 500
/** A few seconds' worth. */
const MAX_ENTRIES = 20_000

/** @throws IdentityError */
export async function askServer(server: Endpoint, agentId: SpiffeId): Promise<ServerAnswer> {
  const agent = await findAgent(server, agentId)
  const { entries: wire, isCutOff } = await attempting('error fetching entries', listSome(server))
  const entries = wire.map(toRegistered)
  const nodeSelectors = new Set((agent?.selectors ?? []).map(fromWireSelector))
  return {
    standing: agent === undefined ? 'unknown' : agent.banned ? 'banned' : 'attested',
    entries,
    parents: authorizedParents(agentId, nodeSelectors, entries),
    wire: new Map(wire.map((entry) => [entry.id, entry])),
    isCutOff,
  }
}

async function findAgent(server: Endpoint, id: SpiffeId): Promise<Agent | undefined> {
  const client = server.client(agentApi())
  try {
    return await server.call<Agent>((options, done) =>
      client.GetAgent({ id: toWireId(id) }, options, done),
    )
  } catch (error) {
    if (error instanceof IdentityError && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}

async function listSome(
  server: Endpoint,
): Promise<{ readonly entries: readonly Entry[]; readonly isCutOff: boolean }> {
  const client = server.client(entryApi())
  const entries: Entry[] = []
  let page_token = ''
  do {
    const page = await server.call<ListEntriesResponse>((options, done) =>
      client.ListEntries({ page_size: PAGE_SIZE, page_token }, options, done),
    )
    entries.push(...page.entries)
    page_token = page.next_page_token
  } while (page_token !== '' && entries.length < MAX_ENTRIES)
  return { entries, isCutOff: page_token !== '' }
}

function toRegistered(wire: Entry): RegisteredEntry {
  return {
    entryId: wire.id,
    id: fromWireId(wire.spiffe_id),
    parentId: fromWireId(wire.parent_id),
    selectors: wire.selectors.map(fromWireSelector),
    storeSvid: wire.store_svid,
    createdAt: fromUnixSeconds(wire.created_at),
    expiresAt: wire.expires_at === 0 ? undefined : fromUnixSeconds(wire.expires_at),
  }
}
