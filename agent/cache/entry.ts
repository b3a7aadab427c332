/** A registration entry as the agent keeps it: parsed once, at the door. */
import type { Entry as WireEntry } from '../../proto/gen/spire/api/types/Entry.ts'
import { fromWireId, fromWireSelector } from '../../proto/wire.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { parseTrustDomain, type TrustDomain, trustDomainOf } from '../../spiffe/id.ts'
import type { Selector } from '../../spiffe/selector.ts'
import type { MatchedEntry } from './identity.ts'

export interface CachedEntry extends MatchedEntry {
  /** All of them have to be among a workload's. */
  readonly selectors: readonly Selector[]
  readonly revision: number
  /** For a store elsewhere, not for the Workload API. */
  readonly storeSvid: boolean
  /** Gets an SVID before anybody asks. */
  readonly prefetch: boolean
  /** Its JWT-SVIDs each have an ID of their own, so none is handed out twice. */
  readonly jti: boolean
  /** Of an administrator or a downstream server: no delegate is given it. */
  readonly privileged: boolean
}

/** @throws IdentityError when the server sent something that is no entry of our trust domain */
export function fromWireEntry(wire: WireEntry, trustDomain: TrustDomain): CachedEntry {
  const id = fromWireId(wire.spiffe_id)
  if (wire.id === '') throw new IdentityError('ENTRY_INVALID', 'an entry without an ID')
  if (trustDomainOf(id) !== trustDomain) {
    const why = `entry ${wire.id} is for ${id}, expected trust domain ${trustDomain}`
    throw new IdentityError('ENTRY_INVALID', why)
  }
  return {
    entryId: wire.id,
    id,
    hint: wire.hint,
    createdAt: wire.created_at,
    federatesWith: wire.federates_with.map(parseTrustDomain),
    selectors: wire.selectors.map(fromWireSelector),
    revision: wire.revision_number,
    storeSvid: wire.store_svid,
    prefetch: wire.additional_attributes?.disable_x509_svid_prefetch !== true,
    jti: wire.additional_attributes?.jwt_svid_include_jti === true,
    privileged: wire.admin || wire.downstream,
  }
}
