/**
 * Which SPIFFE IDs carry rights at this server: those of `admin_ids`, and of entries that say `admin` or `downstream`. An entry
 * gives such an ID to who has all of its selectors; what asks for less than an entry does must not give it at all.
 */
import { IdentityError } from '../../spiffe/error.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import type { EntryIndex } from './entry-index.ts'

export interface PrivilegedIds {
  /** @throws IdentityError NO_IDENTITY_ISSUED with the reason; UNAVAILABLE before all entries are loaded */
  refuse(id: SpiffeId): void
}

/** @param adminIds of the configuration */
export function privilegedIds(
  index: Pick<EntryIndex, 'isAdmin' | 'downstreamEntry'>,
  adminIds: readonly SpiffeId[],
): PrivilegedIds {
  const configured = new Set(adminIds)
  const rightOf = (id: SpiffeId) => {
    if (index.isAdmin(id)) return 'that of an entry with admin'
    if (index.downstreamEntry(id) !== undefined) return 'that of an entry with downstream'
    return configured.has(id) ? 'one of admin_ids' : undefined
  }
  return {
    refuse(id) {
      const right = rightOf(id)
      if (right === undefined) return
      const why = `${id} is ${right}, which is given only by an entry, and only to who has its selectors`
      throw new IdentityError('NO_IDENTITY_ISSUED', why)
    },
  }
}
