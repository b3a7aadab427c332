/** Filters of ListEntries and CountEntries, read from the wire. */
import type { _spire_api_server_entry_v1_ListEntriesRequest_Filter as WireFilter } from '../../../proto/gen/spire/api/server/entry/v1/ListEntriesRequest.ts'
import type { TrustDomain } from '../../../spiffe/id.ts'
import type { EntryFilter } from '../../entries/filter.ts'
import { parseMemberId, parseTrustDomainName, parseWorkloadId } from '../../entries/member-id.ts'
import { parseSelectorList } from '../../entries/parse-entry.ts'
import { invalid, within } from '../refusal.ts'
import { fromWireMatch, idPartsOf } from '../wire-match.ts'

/** @throws IdentityError with SPIRE's `malformed … filter: …` texts */
export function fromWireEntryFilter(
  wire: WireFilter | null,
  trustDomain: TrustDomain,
): EntryFilter {
  if (wire === null) return {}
  const { by_parent_id, by_spiffe_id, by_selectors, by_federates_with } = wire
  return {
    hint: wire.by_hint?.value,
    parentId:
      by_parent_id === null
        ? undefined
        : within('malformed parent ID filter', () =>
            parseMemberId(idPartsOf(by_parent_id), trustDomain),
          ),
    spiffeId:
      by_spiffe_id === null
        ? undefined
        : within('malformed SPIFFE ID filter', () =>
            parseWorkloadId(idPartsOf(by_spiffe_id), trustDomain),
          ),
    selectors:
      by_selectors === null
        ? undefined
        : within('malformed selectors filter', () => ({
            values: someOf(parseSelectorList(by_selectors.selectors), 'empty selector set'),
            match: fromWireMatch(by_selectors.match),
          })),
    federatesWith:
      by_federates_with === null
        ? undefined
        : within('malformed federates with filter', () => ({
            values: someOf(
              by_federates_with.trust_domains.map(parseTrustDomainName),
              'empty trust domain set',
            ),
            match: fromWireMatch(by_federates_with.match),
          })),
    // False asks for nothing, as in SPIRE: its CLI always sends it.
    downstream: wire.by_downstream?.value === true ? true : undefined,
  }
}

function someOf<T>(values: readonly T[], otherwise: string): readonly T[] {
  if (values.length === 0) throw invalid(otherwise)
  return values
}
