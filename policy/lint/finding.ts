/**
 * What the linter finds: a place in a policy, what happens there, and what to write instead. A policy with a finding is a
 * valid one; mistakes that Istio's webhook refuses are the parsers'.
 */
import type { ObjectName } from '../resource.ts'

/**
 * `error`: what is written cannot do what it says, or leaves a hole. `warning`: it does, but hardly what its author
 * meant. `info`: true, and easily forgotten.
 */
export type Severity = 'error' | 'warning' | 'info'

export const SEVERITIES = ['error', 'warning', 'info'] as const satisfies readonly Severity[]

export type PolicyKind = 'AuthorizationPolicy' | 'PeerAuthentication' | 'RequestAuthentication'

/** Stable names, for those who filter findings. */
export type FindingCode =
  | 'address-host-bits'
  | 'allow-admits-plaintext'
  | 'allow-admits-without-token'
  | 'allow-everybody'
  | 'allow-never-used'
  | 'deny-path-passed'
  | 'deny-without-l4'
  | 'envoy-metadata'
  | 'foreign-trust-domain'
  | 'host-without-port'
  | 'identity-never-known'
  | 'issuer-unknown'
  | 'method-lower-case'
  | 'names-need-istio-ids'
  | 'path-never-seen'
  | 'peer-authentication-empty'
  | 'peer-authentication-overruled'
  | 'peer-authentication-root-selector'
  | 'port-not-on-workload'
  | 'port-of-service'
  | 'principal-scheme'
  | 'principal-without-trust-domain'
  | 'provider-missing'
  | 'provider-not-asked-on-tcp'
  | 'remote-ip-without-hops'
  | 'request-principal-prefix'
  | 'request-principal-spiffe-id'
  | 'request-principal-without-subject'
  | 'request-rule-on-tcp'
  | 'rule-duplicate'
  | 'rule-shadowed'
  | 'rules-split-by-dash'
  | 'selects-nothing'
  | 'star-in-the-middle'
  | 'targets-not-here'
  | 'token-never-read'
  | 'too-many-rules-to-compare'

export interface FindingPlace {
  readonly kind: PolicyKind
  readonly policy: ObjectName
  /** Position in `spec.rules`, from 0; undefined for what is no matter of one rule. */
  readonly rule: number | undefined
  /** E.g. `spec.rules[0].from[0].source.principals`. */
  readonly field: string
}

export interface Finding extends FindingPlace {
  readonly code: FindingCode
  readonly severity: Severity
  /** What was seen, and what happens; lower-case, no final period. */
  readonly what: string
  /** What to write instead; the same form. */
  readonly instead: string
}

/** An object of this kind as a whole, or a field of it. */
export function placeIn(
  kind: PolicyKind,
  { namespace, name }: ObjectName,
  field = 'spec',
): FindingPlace {
  return { kind, policy: { namespace, name }, rule: undefined, field }
}

export const nameOf = ({ namespace, name }: ObjectName): string => `${namespace}/${name}`

/** A value as a message repeats it; long ones are cut. */
export const quoted = (value: string): string => JSON.stringify(value.slice(0, MAX_QUOTED_CHARS))

const MAX_QUOTED_CHARS = 120

/** `a, b and 3 more`, for lists that may be long. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, MAX_LISTED)
  const more = names.length - shown.length
  return more === 0 ? shown.join(', ') : `${shown.join(', ')} and ${more} more`
}

const MAX_LISTED = 5
