/** The flags by which entries are chosen, and the filter that they make. Everything given must hold. */
import type { _spire_api_server_entry_v1_ListEntriesRequest_FilterInput as FilterInput } from '../../../proto/gen/spire/api/server/entry/v1/ListEntriesRequest.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { FlagValues } from '../../flag/flag.ts'
import { boolean, choice, list, text } from '../../flag/kinds.ts'
import { quote } from '../../output/go-quote.ts'
import { DEFAULT_MATCH, MATCH_WORDS, type Match, readMatch } from '../match.ts'
import { parsing } from '../parsing.ts'
import { readSelector } from '../selector.ts'
import { readId, toParts } from '../spiffe-id.ts'

export const filterFlags = {
  downstream: boolean('only entries of servers below this one'),
  federatesWith: list('only entries that federate with this trust domain'),
  hint: text('only entries with this hint'),
  matchFederatesWithOn: choice('how -federatesWith is compared', MATCH_WORDS, DEFAULT_MATCH),
  matchSelectorsOn: choice('how -selector is compared', MATCH_WORDS, DEFAULT_MATCH),
  parentID: text('only entries of this parent'),
  selector: list('only entries with this selector, as type:value'),
  spiffeID: text('only entries of this SPIFFE ID'),
}

export type FilterFlagValues = FlagValues<typeof filterFlags>

/** @throws IdentityError in the words of SPIRE */
export function filterOfFlags(flags: FilterFlagValues): FilterInput {
  const { parentID, spiffeID, selector, federatesWith, hint, downstream } = flags
  const id = (what: string, given: string) =>
    parsing(`${what} ${quote(given)}`, () => toParts(readId(given)))
  return {
    ...(parentID !== '' && { by_parent_id: id('parent ID', parentID) }),
    ...(spiffeID !== '' && { by_spiffe_id: id('SPIFFE ID', spiffeID) }),
    ...(selector.length > 0 && {
      by_selectors: {
        selectors: parsing('selectors', () => selector.map(readSelector)),
        match: mustMatch(flags.matchSelectorsOn),
      },
    }),
    ...(federatesWith.length > 0 && {
      by_federates_with: {
        trust_domains: [...federatesWith],
        match: mustMatch(flags.matchFederatesWithOn),
      },
    }),
    ...(hint !== '' && { by_hint: { value: hint } }),
    ...(downstream !== undefined && { by_downstream: { value: downstream } }),
  }
}

function mustMatch(word: string): Match {
  const match = readMatch(word)
  if (match !== undefined) return match
  throw new IdentityError('REQUEST_INVALID', `match behavior ${quote(word)} unknown`)
}
