/**
 * When an agent may trust a server anew that the authorities it knows no longer vouch for: only if the operator chose
 * so, only by the bundle that the configuration names, only after a while, and only if it can attest again by itself.
 * Fails closed: in any other case the server stays refused.
 *
 * @see SPIRE behaviour §2 — rebootstrap
 */
import { IdentityError } from '../../spiffe/error.ts'
import type { TrustBegins } from './state.ts'

export type RebootstrapMode = 'never' | 'auto' | 'always'

export interface RebootstrapPolicy {
  readonly mode: RebootstrapMode
  /** How long the server must have been unknown. */
  readonly delayMs: number
}

export type RebootstrapStep =
  /** It is not to be done at all. */
  | { readonly kind: 'never' }
  | { readonly kind: 'wait'; readonly leftMs: number }
  | { readonly kind: 'begin' }

/** @param since when the server was first found unknown */
export function rebootstrapStep(
  { mode, delayMs }: RebootstrapPolicy,
  since: Date,
  now: Date,
): RebootstrapStep {
  if (mode === 'never') return { kind: 'never' }
  const leftMs = since.getTime() + delayMs - now.getTime()
  return leftMs > 0 ? { kind: 'wait', leftMs } : { kind: 'begin' }
}

export interface SettleDeps {
  onDisabled(why: string): void
}

const CANNOT_REATTEST =
  'rebootstrap_mode is set, but this agent cannot attest again by itself: its node attestor, or the server’s configuration of it, does not allow it'

/**
 * What is left of the policy for an agent of this kind.
 * @throws IdentityError CONFIG_INVALID when the operator demands what is not possible
 */
export function settlePolicy(
  policy: RebootstrapPolicy,
  reattestable: boolean,
  { onDisabled }: SettleDeps,
): RebootstrapPolicy {
  if (policy.mode === 'never' || reattestable) return policy
  if (policy.mode === 'always') {
    throw new IdentityError(
      'CONFIG_INVALID',
      `${CANNOT_REATTEST}; use another node attestor, or rebootstrap_mode = "auto" or "never"`,
    )
  }
  onDisabled(CANNOT_REATTEST)
  return { ...policy, mode: 'never' }
}

/** The same way to trust, one attempt on. */
export function nextAttempt(
  begins: TrustBegins | undefined,
  mode: TrustBegins['mode'],
  now: Date,
): TrustBegins {
  return { mode, since: begins?.since ?? now, attempts: (begins?.attempts ?? 0) + 1 }
}
