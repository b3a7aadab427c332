/** The flags by which agents are chosen, and the filter that they make. Everything given must hold. */
import type { _spire_api_server_agent_v1_ListAgentsRequest_FilterInput as FilterInput } from '../../../proto/gen/spire/api/server/agent/v1/ListAgentsRequest.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { FlagValues } from '../../flag/flag.ts'
import { choice, filter, list, text } from '../../flag/kinds.ts'
import { quote } from '../../output/go-quote.ts'
import { DEFAULT_MATCH, MATCH_WORDS, type Match, readMatch } from '../match.ts'
import { parsing } from '../parsing.ts'
import { readSelector } from '../selector.ts'
import { DATE_LAYOUT, mustBeDate } from './expires-before.ts'

export const filterFlags = {
  attestationType: text('only agents attested in this way, e.g. join_token'),
  banned: filter('only agents that are banned, or only those that are not'),
  canReattest: filter('only agents that may attest again, or only those that may not'),
  expiresBefore: text(`only agents whose SVID expires before this time, as "${DATE_LAYOUT}"`),
  matchSelectorsOn: choice('how -selector is compared', MATCH_WORDS, DEFAULT_MATCH),
  selector: list('only agents with this selector, as type:value'),
}

/** @throws IdentityError in the words of SPIRE */
export function filterOfFlags(flags: FlagValues<typeof filterFlags>): FilterInput {
  const { attestationType, banned, canReattest, expiresBefore, selector } = flags
  const selectors = selector.map((one) =>
    parsing(`selector ${quote(one)}`, () => readSelector(one)),
  )
  if (expiresBefore !== '') mustBeDate(expiresBefore)
  return {
    by_attestation_type: attestationType,
    by_expires_before: expiresBefore,
    ...(selectors.length > 0 && {
      by_selector_match: { selectors, match: mustMatch(flags.matchSelectorsOn) },
    }),
    ...(banned !== undefined && { by_banned: { value: banned } }),
    ...(canReattest !== undefined && { by_can_reattest: { value: canReattest } }),
  }
}

function mustMatch(word: string): Match {
  const match = readMatch(word)
  if (match !== undefined) return match
  throw new IdentityError('REQUEST_INVALID', 'unsupported match behavior')
}
