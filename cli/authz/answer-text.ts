/** The walk through everything that decided, for people: the outcome stands last, where the eye ends. */
import type { ExplainedClause, ExplainedPolicy, ExplainedRule } from '../../policy/explain.ts'
import { ruleId } from '../../policy/rule-set.ts'
import type { RuleName, Verdict } from '../../policy/verdict.ts'
import type { Answer } from './answer.ts'
import type { Question } from './question.ts'

/** Values of a clause; more would hide the others. */
const MAX_VALUES = 4

export function answerText(question: Question, told: Answer): string {
  const { outcome } = told
  return [
    ...asked(question),
    ...(told.path === undefined ? [] : [`  path as rules see it: ${told.path}`]),
    ...told.notes.map((note) => `  note: ${note}`),
    '',
    `Mutual TLS: ${told.mode}, ${sourcesText(question, told)}`,
    ...(outcome.kind === 'judged' ? policiesText(outcome.walk.policies) : []),
    '',
    `${decisionOf(told) === 'allow' ? 'ALLOWED' : 'DENIED'}: ${reasonOfAnswer(told)}.`,
    '',
  ].join('\n')
}

export const decisionOf = ({ outcome }: Answer): 'allow' | 'deny' =>
  outcome.kind === 'judged' ? outcome.verdict.kind : 'deny'

function asked({ request, caller, workload, place }: Question): readonly string[] {
  const { source, destination, method = 'GET', path = '/', host } = request
  const sees = place.kind !== 'sidecar-tcp' && place.kind !== 'ztunnel'
  const what = sees ? `${method} ${path}${host === undefined ? '' : ` of ${host}`}` : 'A connection'
  const labels = Object.entries(workload.labels).map(([key, value]) => `${key}=${value}`)
  return [
    `${what} at port ${destination.port} of a workload in ${workload.namespace}${labels.length === 0 ? ' without labels' : ` with ${labels.join(', ')}`}`,
    `  by ${caller ?? 'somebody without an identity'} from ${source.ip}${source.remoteIp === undefined ? '' : ` for ${source.remoteIp}`}`,
  ]
}

function sourcesText({ door }: Question, { modeSources }: Answer): string {
  if (door?.isStrict === true) return `as the listener ${door.name} takes nothing else`
  if (modeSources.length === 0) return 'the default, as no PeerAuthentication applies'
  return `by ${modeSources.map(({ namespace, name }) => `${namespace}/${name}`).join(', then ')}`
}

function policiesText(policies: readonly ExplainedPolicy[]): readonly string[] {
  if (policies.length === 0) return ['', 'No AuthorizationPolicy applies.']
  return policies.flatMap((policy) => [
    '',
    `${policy.action} ${policy.namespace}/${policy.name}${policy.dryRun ? ' (dry-run: decides nothing)' : ''}: ${policyResult(policy)}`,
    ...policy.rules.flatMap(ruleText),
  ])
}

function policyResult({ rules, matches }: ExplainedPolicy): string {
  if (rules.length === 0) return 'has no rules and matches nothing'
  return matches ? 'matches' : 'does not match'
}

function ruleText(rule: ExplainedRule): readonly string[] {
  if (rule.kind === 'left-out') return [`  rule ${rule.name.rule}: left out: ${rule.why}`]
  const clauses = [...rule.from.flat(), ...rule.to.flat(), ...rule.when]
  return [
    `  rule ${rule.name.rule}: ${rule.matches ? 'matches' : 'does not match'}${clauses.length === 0 ? ', it asks nothing' : ''}`,
    ...rule.notes.map((note) => `    note: ${note}`),
    ...clauses.map(clauseText),
  ]
}

function clauseText({ field, negated, values, seen, holds }: ExplainedClause): string {
  const more = values.length - MAX_VALUES
  const shown = values.slice(0, MAX_VALUES).join(', ')
  const wanted = `${negated ? 'none of ' : ''}${shown}${more > 0 ? ` and ${more} more` : ''}`
  return `    ${holds ? 'yes' : 'no '} ${field}: ${wanted}; seen ${seen ?? 'nothing'}`
}

/** Lower-case, no final period. */
export function reasonOfAnswer(answer: Answer): string {
  const { outcome } = answer
  if (outcome.kind === 'judged') return verdictReason(outcome.verdict, answer)
  const how =
    outcome.status === undefined ? 'the connection is closed' : `answered ${outcome.status}`
  return `${outcome.why}; ${how} before any policy is asked`
}

function verdictReason(verdict: Verdict, { providers, told }: Answer): string {
  const by = verdict.by && ruleWords(verdict.by)
  switch (verdict.why) {
    case 'no-allow-policy':
      return 'no ALLOW policy applies and no DENY rule matches'
    case 'allow-rule':
      return `${by} admits it`
    case 'deny-rule':
      return `${by} denies it`
    case 'no-allow-matched':
      return 'ALLOW policies apply, and none of their rules matches'
    case 'provider-unasked': {
      const names = providers.map(({ provider }) => provider).join(', ')
      return told === 'deny'
        ? `${by} asks the provider ${names}, which refuses`
        : `${by} needs the agreement of the provider ${names}; -extAuthz allow says that it agrees`
    }
    case 'provider-missing':
      return `${by} asks a provider that the mesh does not have`
    default:
      return verdict satisfies never
  }
}

const ruleWords = (name: RuleName): string =>
  `rule ${name.rule} of ${name.namespace}/${name.policy} (${ruleId(name)})`

/** Stable words for programs. */
export function whyOf({ outcome, told }: Answer): string {
  if (outcome.kind === 'refused') return outcome.by
  const { why } = outcome.verdict
  return why === 'provider-unasked' && told === 'deny' ? 'provider-refused' : why
}
