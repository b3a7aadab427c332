/** An attested node as a table row, there and back. Reading trusts what was checked before it was written. */
import { fromUnixSeconds } from '../../../spiffe/clock.ts'
import type { SpiffeId } from '../../../spiffe/id.ts'
import type { Selector } from '../../../spiffe/selector.ts'
import type { AttestedNode } from '../../nodes/node.ts'
import type { NodeRow } from './tables.ts'

export type StoredNode = NodeRow

export const NODE_COLUMNS = [
  'row',
  'id',
  'attestation_type',
  'serial_number',
  'expires_at',
  'new_serial_number',
  'new_expires_at',
  'can_reattest',
  'selectors',
  'agent_version',
] as const satisfies readonly (keyof NodeRow)[]

export function decodeNode(row: StoredNode): AttestedNode {
  return {
    // The casts repeat what the values were when they were written.
    id: row.id as SpiffeId,
    attestationType: row.attestation_type,
    serialNumber: row.serial_number,
    expiresAt: fromUnixSeconds(row.expires_at),
    newSerialNumber: row.new_serial_number,
    newExpiresAt: row.new_expires_at === null ? undefined : fromUnixSeconds(row.new_expires_at),
    canReattest: row.can_reattest !== 0,
    selectors: JSON.parse(row.selectors) as Selector[],
    agentVersion: row.agent_version,
  }
}
