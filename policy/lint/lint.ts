/**
 * Every check over a snapshot of policies: what looks right and matches nothing, what another spelling slips past, what a
 * place cannot enforce. Pure; the order of findings is that of the objects, not of the checks.
 */
import { type Finding, nameOf, SEVERITIES } from './finding.ts'
import { lintAddresses } from './lint-addresses.ts'
import { lintAttachment } from './lint-attachment.ts'
import { lintDisabledMtls } from './lint-disabled-mtls.ts'
import { lintIdentities } from './lint-identities.ts'
import { lintPeerAuthentications } from './lint-peer-authentications.ts'
import { lintPorts } from './lint-ports.ts'
import { lintRequests } from './lint-requests.ts'
import { lintRules } from './lint-rules.ts'
import { lintTokens } from './lint-tokens.ts'
import type { Linted } from './surroundings.ts'

const CHECKS: readonly ((linted: Linted) => readonly Finding[])[] = [
  lintAttachment,
  lintIdentities,
  lintDisabledMtls,
  lintTokens,
  lintRequests,
  lintAddresses,
  lintPorts,
  lintRules,
  lintPeerAuthentications,
]

/** By object and place; of one place the worst first. */
export function lint(linted: Linted): readonly Finding[] {
  return CHECKS.flatMap((check) => check(linted)).toSorted(
    (one, other) =>
      compareText(one.kind, other.kind) ||
      compareText(nameOf(one.policy), nameOf(other.policy)) ||
      (one.rule ?? -1) - (other.rule ?? -1) ||
      SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity) ||
      compareText(one.field, other.field),
  )
}

const compareText = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)
