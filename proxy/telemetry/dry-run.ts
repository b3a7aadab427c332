/**
 * What policies in dry-run would have said, told and counted: they decide nothing, so that this is all that comes of them.
 * Verdicts of requests and connections that no such policy governs cost a look.
 */
import { ruleId } from '../../policy/rule-set.ts'
import type { RuleName, ShadowVerdict, Verdict } from '../../policy/verdict.ts'
import type { AccessFields } from './access-fields.ts'
import type { IstioMetrics } from './istio-metrics.ts'

/** Nothing matched: of ALLOW policies a denial, of DENY policies none. */
const NONE = 'none'

type Tried = ShadowVerdict['allow']

export function dryRunFields({ shadow: { allow, deny } }: Verdict): AccessFields {
  if (allow === undefined && deny === undefined) return {}
  return {
    dry_run_deny: deny?.result,
    dry_run_deny_rule: ruleOf(deny),
    dry_run_allow: allow?.result,
    dry_run_allow_rule: ruleOf(allow),
  }
}

export function countDryRun(metrics: Pick<IstioMetrics, 'dryRun'>, verdict: Verdict): void {
  const { allow, deny } = verdict.shadow
  if (deny !== undefined) metrics.dryRun('DENY', deny.result, policyOf(deny.by))
  if (allow !== undefined) metrics.dryRun('ALLOW', allow.result, policyOf(allow.by))
}

const policyOf = (by: RuleName | undefined): string =>
  by === undefined ? NONE : `${by.namespace}/${by.policy}`

const ruleOf = (tried: Tried): string | undefined =>
  tried?.by === undefined ? undefined : ruleId(tried.by)
