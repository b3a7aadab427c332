/** The walk through everything that decided, for programs. Members that do not apply are missing; new ones may come. */
import type { ExplainedClause, ExplainedPolicy, ExplainedRule } from '../../policy/explain.ts'
import { ruleId } from '../../policy/rule-set.ts'
import type { Json } from '../output/go-json.ts'
import type { Answer } from './answer.ts'
import { decisionOf, reasonOfAnswer, whyOf } from './answer-text.ts'
import type { Question } from './question.ts'

export function answerJson({ workload, place, request }: Question, told: Answer): Json {
  const { outcome } = told
  const isJudged = outcome.kind === 'judged'
  const by = isJudged ? outcome.verdict.by : undefined
  return {
    decision: decisionOf(told),
    why: whyOf(told),
    reason: reasonOfAnswer(told),
    rule: by === undefined ? null : ruleId(by),
    status: isJudged ? null : (outcome.status ?? null),
    place: place.kind,
    workload: { namespace: workload.namespace, labels: workload.labels },
    port: request.destination.port,
    mtls: {
      mode: told.mode,
      sources: told.modeSources.map(({ namespace, name }) => `${namespace}/${name}`),
    },
    path: told.path ?? null,
    providers: told.providers.map(({ provider, by: rule }) => ({ provider, rule: ruleId(rule) })),
    notes: told.notes,
    policies: isJudged ? outcome.walk.policies.map(policyJson) : [],
  }
}

const policyJson = ({ rules, dryRun, ...policy }: ExplainedPolicy): Json => ({
  ...{ namespace: policy.namespace, name: policy.name, action: policy.action },
  ...{ dry_run: dryRun, matches: policy.matches, rules: rules.map(ruleJson) },
})

function ruleJson(rule: ExplainedRule): Json {
  const id = ruleId(rule.name)
  if (rule.kind === 'left-out') return { rule: id, matches: false, left_out: rule.why }
  return {
    ...{ rule: id, matches: rule.matches, notes: rule.notes },
    from: rule.from.map((clauses) => clauses.map(clauseJson)),
    to: rule.to.map((clauses) => clauses.map(clauseJson)),
    when: rule.when.map(clauseJson),
  }
}

const clauseJson = ({ field, negated, values, seen, holds }: ExplainedClause): Json => ({
  ...{ field, negated, values, holds, seen: seen ?? null },
})
