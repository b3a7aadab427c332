/**
 * Which SPIFFE IDs carry rights at this server: those of `admin_ids`, and of entries that say `admin` or `downstream`. An entry
 * gives such an ID to who has all of its selectors; what asks for less than an entry does must not give it at all.
 */
import type { SpiffeId } from '../../spiffe/id.ts'
import type { EntryIndex } from './entry-index.ts'

export interface PrivilegedIds {
  /**
   * Why this ID is not to be given; undefined: it carries no rights.
   * @throws IdentityError UNAVAILABLE before all entries are loaded: fails closed
   */
  reasonAgainst(id: SpiffeId): string | undefined
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
    reasonAgainst(id) {
      const right = rightOf(id)
      return right === undefined
        ? undefined
        : `${id} is ${right}, which is given only by an entry, and only to who has its selectors`
    },
  }
}
