/**
 * Lets the running agent trust its server anew when the time has come: attests by the configured bundle first, and gives
 * up what it has only when that has worked. Until then workloads are served from the cache.
 */
import type { KeyObject } from 'node:crypto'
import type { Clock } from '../../spiffe/clock.ts'
import { generateKey } from '../../spiffe/key.ts'
import type { Random } from '../../spiffe/random.ts'
import { createBackoff } from '../backoff.ts'
import type { Attested } from './attest.ts'
import type { Distrust } from './distrust.ts'
import { nextAttempt, type RebootstrapPolicy, rebootstrapStep } from './rebootstrap.ts'
import type { ServerTrust } from './server-credentials.ts'
import type { TrustBegins } from './state.ts'

export interface Rebootstrapped {
  readonly attested: Attested
  readonly key: KeyObject
}

export interface RebootstrapDeps {
  readonly policy: RebootstrapPolicy
  readonly distrust: Distrust
  bootstrapTrust(begins: TrustBegins): Promise<ServerTrust>
  /** A whole node attestation for this key. */
  attest(trust: ServerTrust, key: KeyObject, signal: AbortSignal): Promise<Attested>
  onWaiting(leftMs: number): void
  onBegin(begins: TrustBegins): void
  onFailure(error: unknown): void
  readonly clock: Clock
  readonly random: Random
}

/** How often the server's standing is looked at. */
const LOOK_EVERY_MS = 5_000
const FIRST_RETRY_MS = 5_000
const MAX_RETRY_MS = 60_000

/** @returns what to begin anew with; undefined when it was stopped */
export async function awaitRebootstrap(
  deps: RebootstrapDeps,
  signal: AbortSignal,
): Promise<Rebootstrapped | undefined> {
  const { policy, distrust, clock, random } = deps
  const backoff = createBackoff({ initialMs: FIRST_RETRY_MS, capMs: MAX_RETRY_MS, random })
  let attempt: TrustBegins | undefined
  while (!signal.aborted && policy.mode !== 'never') {
    let pauseMs = LOOK_EVERY_MS
    const since = distrust.current()
    if (since === undefined) {
      attempt = undefined
      backoff.reset()
    } else {
      const step = rebootstrapStep(policy, since.since, clock.now())
      if (step.kind === 'wait') {
        if (attempt?.since !== since.since) deps.onWaiting(step.leftMs)
        attempt = since
        pauseMs = Math.min(pauseMs, step.leftMs)
      } else {
        attempt = nextAttempt(attempt ?? since, 'rebootstrap', clock.now())
        const done = await tryOnce(deps, attempt, signal)
        if (done !== undefined) return done
        pauseMs = backoff.next()
      }
    }
    await clock.sleep(pauseMs, signal)
  }
  return undefined
}

async function tryOnce(
  deps: RebootstrapDeps,
  begins: TrustBegins,
  signal: AbortSignal,
): Promise<Rebootstrapped | undefined> {
  deps.onBegin(begins)
  try {
    const trust = await deps.bootstrapTrust(begins)
    const key = await generateKey('ec-p256')
    return { attested: await deps.attest(trust, key, signal), key }
  } catch (error) {
    if (!signal.aborted) deps.onFailure(error)
    return undefined
  }
}
