/**
 * What a policy answers. Only an `allow` carries the permit that forwarding takes as its argument, so nothing can be
 * forwarded unasked.
 */
import type { ConnectionFacts } from './facts.ts'

declare const proof: unique symbol

/** The receipt of a decision: made by `decide.ts` alone. */
export type Permit = ConnectionFacts & { readonly [proof]: true }

/** A rule of an AuthorizationPolicy, written `ns[shop]-policy[cart]-rule[0]` where Envoy would. */
export interface RuleName {
  readonly namespace: string
  readonly policy: string
  /** Position in `spec.rules`, from 0. */
  readonly rule: number
}

/** What dry-run policies would have said; they decide nothing. */
export interface ShadowVerdict {
  readonly allow:
    | { readonly result: 'allowed' | 'denied'; readonly by: RuleName | undefined }
    | undefined
  readonly deny:
    | { readonly result: 'allowed' | 'denied'; readonly by: RuleName | undefined }
    | undefined
}

export interface Allow {
  readonly kind: 'allow'
  readonly permit: Permit
  /** `no-allow-policy`: there is nothing to satisfy. `allow-rule`: `by` says which. */
  readonly why: 'no-allow-policy' | 'allow-rule'
  readonly by: RuleName | undefined
  /** Rules of AUDIT policies that match. */
  readonly audited: readonly RuleName[]
  readonly shadow: ShadowVerdict
}

export interface Deny {
  readonly kind: 'deny'
  /**
   * `no-allow-matched`: ALLOW policies exist, and none of their rules matches. `provider-unasked`: a CUSTOM rule
   * matches whose provider has not agreed. `provider-missing`: the mesh has no provider of that name.
   */
  readonly why: 'deny-rule' | 'no-allow-matched' | 'provider-unasked' | 'provider-missing'
  readonly by: RuleName | undefined
  readonly audited: readonly RuleName[]
  readonly shadow: ShadowVerdict
}

export type Verdict = Allow | Deny
