/** Attested nodes and their selectors in PostgreSQL. Every write leaves a change record in its own transaction. */
import { unixSeconds } from '../../../spiffe/clock.ts'
import type { SpiffeId } from '../../../spiffe/id.ts'
import { isJoinTokenAlias } from '../../entries/entry.ts'
import type { AttestedNode, RenewedFrom } from '../../nodes/node.ts'
import type { ReadOptions } from '../page.ts'
import { countOf, pageOf } from '../sql/condition.ts'
import { decodeEntry, type StoredEntry } from '../sql/entry-row.ts'
import { filteredNodes } from '../sql/filtered.ts'
import { decodeNode, NODE_COLUMNS, type StoredNode } from '../sql/node-row.ts'
import { cutPage, pageSize, rowAfter } from '../sql/paging.ts'
import type { Attestation, NodePruning, NodeStore, NodeWriteResult, RenewResult } from '../store.ts'
import { deleteEntryRows, SELECT_ENTRY } from './entry-store.ts'
import type { PostgresDeps } from './postgres-deps.ts'
import { select } from './run-query.ts'
import type { SqlValue } from './session.ts'
import type { WriteSession } from './write-queue.ts'

const LIST = 'nodes'
const COLUMNS = NODE_COLUMNS.map((column) => `nodes.${column}`).join(', ')
const SELECT = `select ${COLUMNS} from nodes`

/** The attestor whose nodes may have an alias entry of their own, see `joinTokenAlias`. */
const JOIN_TOKEN = 'join_token'

export function nodeStore({ connection, queue }: PostgresDeps): NodeStore {
  const { reads } = connection
  const readsFor = ({ mayLag = false }: ReadOptions) => (mayLag ? connection.laggingReads : reads)
  const writeNode = <T>(id: SpiffeId, job: (session: WriteSession) => Promise<T>) =>
    queue.write([`node/${id}`], job)
  return {
    attest: (attestation) =>
      writeNode(attestation.id, (session) => attestNode(session, attestation)),
    renew: (from, serialNumber, expiresAt) =>
      writeNode(from.id, (session) => renewNode(session, from, serialNumber, expiresAt)),
    promote: (id, newSerialNumber) =>
      writeNode(id, (session) => updateNode(session, PROMOTE, id, newSerialNumber)),
    ban: (id) => writeNode(id, async (session) => isStored(await updateNode(session, BAN, id))),
    setAgentVersion: (id, agentVersion) =>
      writeNode(id, async (session) =>
        isStored(await updateNode(session, SET_VERSION, id, agentVersion)),
      ),
    remove: (id) =>
      writeNode(id, async (session) => {
        const rows = await session.all<StoredNode>(
          `delete from nodes where id = $1 returning ${COLUMNS}`,
          id,
        )
        return (await forgetNodes(session, rows))[0]
      }),
    find: async (id) => {
      const row = await reads.one<StoredNode>(`${SELECT} where id = $1`, id)
      return row === undefined ? undefined : decodeNode(row)
    },
    findMany: async (ids) =>
      (await reads.all<StoredNode>(`${SELECT} where id = any($1::text[])`, ids)).map(decodeNode),
    list: async (filter, page) => {
      const size = pageSize(page)
      const after = rowAfter(page, LIST)
      const rows = await select<StoredNode>(
        readsFor(page),
        pageOf(filteredNodes(filter), { columns: NODE_COLUMNS, after, limit: size + 1 }),
      )
      return cutPage(rows, size, LIST, (row) => row.row, decodeNode)
    },
    count: async (filter, options = {}) => {
      const counted = countOf(filteredNodes(filter))
      return (await select<{ count: number }>(readsFor(options), counted))[0]?.count ?? 0
    },
    pruneExpired: (pruning) => queue.write([], (session) => pruneNodes(session, pruning)),
  }
}

/** A banned node is left as it is, and then there is no row. What a set loses and gains has nothing in common. */
const ATTEST = `with stored as (
    insert into nodes (id, attestation_type, serial_number, expires_at, new_serial_number,
        new_expires_at, can_reattest, selectors, agent_version)
      values ($1, $2, $3, $4, '', null, $5, $6, '')
      on conflict (id) do update set attestation_type = excluded.attestation_type,
        serial_number = excluded.serial_number, expires_at = excluded.expires_at,
        new_serial_number = '', new_expires_at = null, can_reattest = excluded.can_reattest,
        selectors = excluded.selectors
        where nodes.serial_number <> ''
      returning ${COLUMNS}
  ), lost as (
    delete from node_selectors using stored
      where node_selectors.node_row = stored.row and node_selectors.selector <> all($7::text[])
  ), gained as (
    insert into node_selectors (node_row, selector)
      select stored.row, given.selector from stored cross join unnest($7::text[]) as given (selector)
      on conflict do nothing
  ) select * from stored`

async function attestNode(
  session: WriteSession,
  attestation: Attestation,
): Promise<NodeWriteResult> {
  const selectors = [...new Set(attestation.selectors)]
  const row = await session.one<StoredNode>(
    ATTEST,
    attestation.id,
    attestation.attestationType,
    attestation.serialNumber,
    unixSeconds(attestation.expiresAt),
    Number(attestation.canReattest),
    JSON.stringify(selectors),
    selectors,
  )
  if (row === undefined) return { kind: 'banned' }
  session.record('node', row.id)
  return { kind: 'stored', node: decodeNode(row) }
}

/** Conditions stand in the statement: a renewal or ban that came in between wins. */
const RENEW = `update nodes set new_serial_number = $2, new_expires_at = $3
  where id = $1 and serial_number <> '' and serial_number = $4 and new_serial_number = $5
  returning ${COLUMNS}`
const PROMOTE = `update nodes set serial_number = new_serial_number,
    expires_at = coalesce(new_expires_at, expires_at), new_serial_number = '', new_expires_at = null
  where id = $1 and serial_number <> '' and new_serial_number = $2 and new_serial_number <> ''
  returning ${COLUMNS}`
const BAN = `update nodes set serial_number = '', new_serial_number = '', new_expires_at = null
  where id = $1 returning ${COLUMNS}`
const SET_VERSION = `update nodes set agent_version = $2 where id = $1 returning ${COLUMNS}`

/** @param statement whose first value is the ID; without a row it did not apply */
async function updateNode(
  session: WriteSession,
  statement: string,
  id: SpiffeId,
  ...values: readonly SqlValue[]
): Promise<NodeWriteResult> {
  const written = await tryUpdate(session, statement, id, ...values)
  return written ?? (await notUpdated(session, id, 'not-found'))
}

async function tryUpdate(
  session: WriteSession,
  statement: string,
  id: SpiffeId,
  ...values: readonly SqlValue[]
): Promise<NodeWriteResult | undefined> {
  const written = await session.one<StoredNode>(statement, id, ...values)
  if (written === undefined) return undefined
  session.record('node', id)
  return { kind: 'stored', node: decodeNode(written) }
}

/** @param otherwise of a node that is there and may be written */
async function notUpdated<K extends string>(
  session: WriteSession,
  id: SpiffeId,
  otherwise: K,
): Promise<{ readonly kind: K | 'banned' | 'not-found' }> {
  const present = await session.one<StoredNode>(`${SELECT} where id = $1`, id)
  if (present === undefined) return { kind: 'not-found' }
  return { kind: present.serial_number === '' ? 'banned' : otherwise }
}

async function renewNode(
  session: WriteSession,
  { id, ...from }: RenewedFrom,
  serialNumber: string,
  expiresAt: Date,
): Promise<RenewResult> {
  const values = [serialNumber, unixSeconds(expiresAt), from.serialNumber, from.newSerialNumber]
  return (
    (await tryUpdate(session, RENEW, id, ...values)) ?? (await notUpdated(session, id, 'changed'))
  )
}

function isStored({ kind }: NodeWriteResult): boolean {
  return kind === 'stored'
}

async function pruneNodes(session: WriteSession, pruning: NodePruning) {
  const rows = await session.all<StoredNode>(
    `with old as materialized (
        select row from nodes
          where expires_at < $1::bigint and serial_number <> '' and (can_reattest <> 0 or $2::boolean)
          order by expires_at, row limit $3::bigint for update
      ) delete from nodes using old where nodes.row = old.row returning ${COLUMNS}`,
    unixSeconds(pruning.expiredBefore),
    pruning.includeNonReattestable,
    pruning.limit,
  )
  rows.sort((a, b) => a.expires_at - b.expires_at || a.row - b.row)
  return await forgetNodes(session, rows)
}

/** What else goes with nodes whose rows are deleted: the aliases of those attested by join token. */
async function forgetNodes(
  session: WriteSession,
  rows: readonly StoredNode[],
): Promise<readonly AttestedNode[]> {
  const nodes = rows.map(decodeNode)
  const byToken = nodes.filter((node) => node.attestationType === JOIN_TOKEN).map(({ id }) => id)
  if (byToken.length > 0) {
    const children = await session.all<StoredEntry>(
      `${SELECT_ENTRY} where parent_id = any($1::text[]) order by row for update`,
      byToken,
    )
    const aliases = children.filter((row) => isJoinTokenAlias(decodeEntry(row)))
    await deleteEntryRows(session, aliases)
  }
  for (const { id } of nodes) session.record('node', id)
  return nodes
}
