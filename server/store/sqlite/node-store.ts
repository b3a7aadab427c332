/** Attested nodes and their selectors in SQLite. Every write leaves a change record in its own transaction. */
import { unixSeconds } from '../../../spiffe/clock.ts'
import type { SpiffeId } from '../../../spiffe/id.ts'
import { isJoinTokenAlias } from '../../entries/entry.ts'
import type { AttestedNode, RenewedFrom } from '../../nodes/node.ts'
import { countOf, pageOf } from '../sql/condition.ts'
import { decodeEntry } from '../sql/entry-row.ts'
import { filteredNodes } from '../sql/filtered.ts'
import { decodeNode, NODE_COLUMNS, type StoredNode } from '../sql/node-row.ts'
import { cutPage, pageSize, rowAfter } from '../sql/paging.ts'
import type { SqlValue } from '../sql/tables.ts'
import type { Attestation, NodePruning, NodeStore, NodeWriteResult, RenewResult } from '../store.ts'
import type { Connection } from './connection.ts'
import { deleteEntryRow, entryRowsWhere } from './entry-store.ts'
import { inChunks } from './in-chunks.ts'
import type { SqliteDeps } from './sqlite-deps.ts'
import type { RecordChange } from './write-queue.ts'

const LIST = 'nodes'
const SELECT = `select ${NODE_COLUMNS.join(', ')} from nodes`

/** The attestor whose nodes may have an alias entry of their own, see `joinTokenAlias`. */
const JOIN_TOKEN = 'join_token'

export function nodeStore({ connection, queue }: SqliteDeps): NodeStore {
  return {
    attest: (attestation) => queue.write((record) => attestNode(connection, record, attestation)),
    renew: (from, serialNumber, expiresAt) =>
      queue.write((record) => renewNode(connection, record, from, serialNumber, expiresAt)),
    promote: (id, newSerialNumber) =>
      queue.write((record) => promoteNode(connection, record, id, newSerialNumber)),
    ban: (id) =>
      queue.write((record) => {
        if (findRow(connection, id) === undefined) return false
        setColumns(connection, record, id, {
          serial_number: '',
          new_serial_number: '',
          new_expires_at: null,
        })
        return true
      }),
    setAgentVersion: (id, agentVersion) =>
      queue.write((record) => {
        if (findRow(connection, id) === undefined) return false
        setColumns(connection, record, id, { agent_version: agentVersion })
        return true
      }),
    remove: (id) =>
      queue.write((record) => {
        const row = findRow(connection, id)
        return row === undefined ? undefined : removeNode(connection, record, row)
      }),
    find: (id) =>
      connection.read(() => {
        const row = findRow(connection, id)
        return row === undefined ? undefined : decodeNode(row)
      }),
    findMany: (ids) =>
      connection.read(() => inChunks(connection, `${SELECT} where id in`, ids, decodeNode)),
    list: (filter, page) =>
      connection.read(() => {
        const size = pageSize(page)
        const after = rowAfter(page, LIST)
        const rows = connection.select<StoredNode>(
          pageOf(filteredNodes(filter), { columns: NODE_COLUMNS, after, limit: size + 1 }),
        )
        return cutPage(rows, size, LIST, (row) => row.row, decodeNode)
      }),
    count: (filter) =>
      connection.read(
        () => connection.select<{ count: number }>(countOf(filteredNodes(filter)))[0]?.count ?? 0,
      ),
    pruneExpired: (pruning) =>
      queue.write((record) =>
        expiredRows(connection, pruning).map((row) => removeNode(connection, record, row)),
      ),
  }
}

function attestNode(
  connection: Connection,
  record: RecordChange,
  attestation: Attestation,
): NodeWriteResult {
  const present = findRow(connection, attestation.id)
  if (present?.serial_number === '') return { kind: 'banned' }
  const selectors = [...new Set(attestation.selectors)]
  connection.run(
    `insert into nodes (id, attestation_type, serial_number, expires_at, new_serial_number,
        new_expires_at, can_reattest, selectors, agent_version)
      values (?, ?, ?, ?, '', null, ?, ?, '')
      on conflict (id) do update set attestation_type = excluded.attestation_type,
        serial_number = excluded.serial_number, expires_at = excluded.expires_at,
        new_serial_number = '', new_expires_at = null, can_reattest = excluded.can_reattest,
        selectors = excluded.selectors`,
    attestation.id,
    attestation.attestationType,
    attestation.serialNumber,
    unixSeconds(attestation.expiresAt),
    Number(attestation.canReattest),
    JSON.stringify(selectors),
  )
  const row = findRow(connection, attestation.id)
  if (row === undefined) throw new Error('the node just written is not there')
  connection.run('delete from node_selectors where node_row = ?', row.row)
  for (const selector of selectors) {
    connection.run(
      'insert into node_selectors (node_row, selector) values (?, ?)',
      row.row,
      selector,
    )
  }
  record('node', row.id)
  return { kind: 'stored', node: decodeNode(row) }
}

function renewNode(
  connection: Connection,
  record: RecordChange,
  from: RenewedFrom,
  serialNumber: string,
  expiresAt: Date,
): RenewResult {
  const row = findRow(connection, from.id)
  if (row === undefined) return { kind: 'not-found' }
  if (row.serial_number === '') return { kind: 'banned' }
  const isAsSeen =
    row.serial_number === from.serialNumber && row.new_serial_number === from.newSerialNumber
  if (!isAsSeen) return { kind: 'changed' }
  return setColumns(connection, record, from.id, {
    new_serial_number: serialNumber,
    new_expires_at: unixSeconds(expiresAt),
  })
}

/** Compares the serial inside the transaction: a renewal or ban that came in between wins. */
function promoteNode(
  connection: Connection,
  record: RecordChange,
  id: SpiffeId,
  newSerialNumber: string,
): NodeWriteResult {
  const row = findRow(connection, id)
  if (row === undefined) return { kind: 'not-found' }
  if (row.serial_number === '') return { kind: 'banned' }
  if (newSerialNumber === '' || row.new_serial_number !== newSerialNumber) {
    return { kind: 'not-found' }
  }
  return setColumns(connection, record, id, {
    serial_number: row.new_serial_number,
    expires_at: row.new_expires_at ?? row.expires_at,
    new_serial_number: '',
    new_expires_at: null,
  })
}

function setColumns(
  connection: Connection,
  record: RecordChange,
  id: SpiffeId,
  values: Partial<Record<(typeof NODE_COLUMNS)[number], SqlValue>>,
): NodeWriteResult {
  const columns = Object.keys(values)
  connection.run(
    `update nodes set ${columns.map((column) => `${column} = ?`).join(', ')} where id = ?`,
    ...Object.values(values),
    id,
  )
  record('node', id)
  const row = findRow(connection, id)
  return row === undefined ? { kind: 'not-found' } : { kind: 'stored', node: decodeNode(row) }
}

function removeNode(connection: Connection, record: RecordChange, row: StoredNode): AttestedNode {
  const node = decodeNode(row)
  if (node.attestationType === JOIN_TOKEN) {
    for (const child of entryRowsWhere(connection, 'parent_id = ?', node.id)) {
      if (isJoinTokenAlias(decodeEntry(child))) deleteEntryRow(connection, record, child)
    }
  }
  connection.run('delete from nodes where row = ?', row.row)
  record('node', node.id)
  return node
}

function expiredRows(connection: Connection, pruning: NodePruning): StoredNode[] {
  const reattestable = pruning.includeNonReattestable ? '' : 'and can_reattest <> 0'
  return connection.all<StoredNode>(
    `${SELECT} where expires_at < ? and serial_number <> '' ${reattestable}
      order by expires_at limit ?`,
    unixSeconds(pruning.expiredBefore),
    pruning.limit,
  )
}

function findRow(connection: Connection, id: SpiffeId): StoredNode | undefined {
  return connection.one<StoredNode>(`${SELECT} where id = ?`, id)
}
