/**
 * Turns a snapshot of policies into what decides for one workload at one place. Compile once per snapshot; deciding
 * then costs about the same with ten rules as with ten thousand.
 */
import { isAttached, type Place, type Waypoint } from './attachment.ts'
import type { Dialect } from './attribute.ts'
import type { AuthorizationPolicy } from './authorization-policy.ts'
import type { CompiledRule, PlacedRule } from './compiled-rule.ts'
import { placeOnRequests, placeOnTcp, placeOnZtunnel } from './place-rule.ts'
import { type RuleSet, ruleSet } from './rule-set.ts'
import type { PolicySnapshot, Workload } from './snapshot.ts'
import type { RuleName } from './verdict.ts'

/** A policy with its rules as they are at the place; for explaining. */
export interface PlacedPolicy {
  readonly policy: AuthorizationPolicy
  readonly rules: readonly PlacedRule[]
}

/** The rules that ask one external provider. */
export interface CustomRules {
  readonly provider: string
  /** `missing`: the mesh has no such provider, and what would have asked it is denied. */
  readonly state: 'known' | 'missing'
  readonly rules: RuleSet
}

interface Compiled {
  readonly place: Place
  /** Every policy that applies at the place, in the snapshot's order. */
  readonly policies: readonly PlacedPolicy[]
  readonly custom: readonly CustomRules[]
  readonly audit: RuleSet
  readonly deny: RuleSet
  /** Undefined when no ALLOW policy applies, so there is nothing to satisfy. */
  readonly allow: RuleSet | undefined
  readonly dryDeny: RuleSet | undefined
  readonly dryAllow: RuleSet | undefined
}

/** Decides about connections whose requests nobody looks at. */
export interface ConnectionAuthorization extends Compiled {
  readonly layer: 'connection'
}

/** Decides about requests. */
export interface RequestAuthorization extends Compiled {
  readonly layer: 'request'
}

export type CompiledAuthorization = ConnectionAuthorization | RequestAuthorization

type RequestPlace = { readonly kind: 'sidecar-http' } | Waypoint
type ConnectionPlace = { readonly kind: 'sidecar-tcp' } | { readonly kind: 'ztunnel' }

export function compileAuthorization(
  snapshot: PolicySnapshot,
  workload: Workload,
  place: RequestPlace,
): RequestAuthorization
export function compileAuthorization(
  snapshot: PolicySnapshot,
  workload: Workload,
  place: ConnectionPlace,
): ConnectionAuthorization
export function compileAuthorization(
  snapshot: PolicySnapshot,
  workload: Workload,
  place: Place,
): CompiledAuthorization
export function compileAuthorization(
  snapshot: PolicySnapshot,
  workload: Workload,
  place: Place,
): CompiledAuthorization {
  const { mesh } = snapshot
  const policies = snapshot.authorizationPolicies
    .filter((policy) => isAttached(policy, mesh.rootNamespace, workload, place))
    .filter((policy) => isEnforcedAt(policy, place))
    .map((policy) => placePolicy(policy, snapshot, place))
  const enforced = policies.filter(({ policy }) => !policy.dryRun)
  const dry = policies.filter(({ policy }) => policy.dryRun)
  const compiled = {
    place,
    policies,
    custom: customRules(enforced, snapshot, place),
    audit: rulesOf(enforced, 'AUDIT') ?? ruleSet([]),
    deny: rulesOf(enforced, 'DENY') ?? ruleSet([]),
    allow: rulesOf(enforced, 'ALLOW'),
    dryDeny: rulesOf(dry, 'DENY'),
    dryAllow: rulesOf(dry, 'ALLOW'),
  }
  return place.kind === 'sidecar-tcp' || place.kind === 'ztunnel'
    ? { ...compiled, layer: 'connection' }
    : { ...compiled, layer: 'request' }
}

/** ztunnel knows no AUDIT and no CUSTOM; its control plane does not send them. */
const isEnforcedAt = ({ action }: AuthorizationPolicy, place: Place): boolean =>
  place.kind !== 'ztunnel' || action.kind === 'ALLOW' || action.kind === 'DENY'

function placePolicy(
  policy: AuthorizationPolicy,
  { mesh }: PolicySnapshot,
  place: Place,
): PlacedPolicy {
  const { namespace, name, action } = policy
  const dialect: Dialect = {
    reading: place.kind === 'ztunnel' ? 'ztunnel' : 'envoy',
    namespace,
    // ztunnel is not told the aliases; peers of another trust domain do not reach it.
    own: place.kind === 'ztunnel' ? [] : [mesh.trustDomain, ...mesh.trustDomainAliases],
  }
  const rules = policy.rules.map((rule, at) => {
    const ruleName: RuleName = { namespace, policy: name, rule: at }
    switch (place.kind) {
      case 'sidecar-tcp':
        return placeOnTcp(rule, ruleName, dialect, action.kind !== 'ALLOW')
      case 'ztunnel':
        return placeOnZtunnel(rule, ruleName, dialect, action.kind === 'ALLOW' ? 'ALLOW' : 'DENY')
      default:
        return placeOnRequests(rule, ruleName, dialect)
    }
  })
  return { policy, rules }
}

const enforceable = (policies: readonly PlacedPolicy[]): readonly CompiledRule[] =>
  policies.flatMap(({ rules }) =>
    rules.flatMap((placed) => (placed.kind === 'rule' ? [placed.rule] : [])),
  )

/** Undefined when there is no such policy. One without rules that could match still counts: it allows nothing. */
function rulesOf(
  policies: readonly PlacedPolicy[],
  action: AuthorizationPolicy['action']['kind'],
): RuleSet | undefined {
  const those = policies.filter(({ policy }) => policy.action.kind === action)
  return those.length === 0 ? undefined : ruleSet(enforceable(those))
}

function customRules(
  policies: readonly PlacedPolicy[],
  { mesh }: PolicySnapshot,
  place: Place,
): readonly CustomRules[] {
  const byProvider = new Map<string, PlacedPolicy[]>()
  for (const placed of policies) {
    const { action } = placed.policy
    if (action.kind !== 'CUSTOM') continue
    byProvider.set(action.provider, [...(byProvider.get(action.provider) ?? []), placed])
  }
  return [...byProvider].flatMap(([provider, those]): CustomRules[] => {
    const known = mesh.extensionProviders.find(({ name }) => name === provider)
    // A provider of requests has nothing to be asked about a connection; Istio leaves it out there too.
    if (known?.kind === 'http' && place.kind === 'sidecar-tcp') return []
    const state = known === undefined ? 'missing' : 'known'
    return [{ provider, state, rules: ruleSet(enforceable(those)) }]
  })
}
