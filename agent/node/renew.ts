/**
 * Keeps the agent's own SVID alive: renews it in time, attests again where that is the way, and ends the agent when
 * the server will not have it any more.
 *
 * @see SPIRE behaviour §2 — renewal, re-attestation, eviction, ban
 */
import type { KeyObject } from 'node:crypto'
import type { RenewAgentResponse } from '../../proto/gen/spire/api/server/agent/v1/RenewAgentResponse.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { generateKey, spkiOf } from '../../spiffe/key.ts'
import type { Random } from '../../spiffe/random.ts'
import { createCsr } from '../../spiffe/x509/csr.ts'
import { verifyX509Svid } from '../../spiffe/x509/verify.ts'
import { createBackoff } from '../backoff.ts'
import { findKey, type KeyStore, otherKeyId } from '../keys/key-store.ts'
import {
  isOfTheFuture,
  keepAtLeastMs,
  obtainedBetween,
  type RenewalPolicy,
  renewalTime,
} from '../renewal-time.ts'
import { taintedKeyIds } from '../tainted-keys.ts'
import { type AgentSvid, agentSvid } from './agent-svid.ts'
import { callUnary } from './call.ts'
import type { DebtName } from './disk-debt.ts'
import { reactionTo } from './refusal.ts'
import type { ServerConnection } from './server-connection.ts'
import type { Standing } from './standing.ts'

export interface RenewDeps {
  readonly connection: ServerConnection
  readonly standing: Standing
  readonly keys: KeyStore
  readonly policy: RenewalPolicy
  svid(): AgentSvid
  bundle(): Bundle
  /** Keeps the new SVID and lets it take over. */
  adopt(svid: AgentSvid): Promise<void>
  /** Lets it take over without being kept. */
  hold(svid: AgentSvid): void
  /** Is to write it until that succeeds; `error` is why it could not be written now. */
  owe(name: DebtName, write: () => Promise<void>, error: unknown): void
  /** A whole node attestation for this key. */
  attest(key: KeyObject, signal: AbortSignal): Promise<AgentSvid>
  onFailure(error: unknown): void
  /** Around each renewal, for whoever counts and times them. */
  measureRotation?<T>(rotation: () => Promise<T>): Promise<T>
  /** What an operator has to do when the agent stops. */
  readonly advice: string
  readonly clock: Clock
  readonly random: Random
}

/** With another server to go to, one that says nothing is not waited for any longer. */
const ANSWER_MS = 10_000
const FIRST_RETRY_MS = 5_000
const MAX_RETRY_MS = 60_000
const MIN_RETRY_MS = 200
/** Of the life that is left: there is time for several attempts, however short it is. */
const RETRY_SHARE = 0.2

/** Of the SVID that the agent began with. */
const ANY_TIME = Number.NEGATIVE_INFINITY

/** @throws IdentityError when the agent must stop; its message says why */
export async function keepRenewed(deps: RenewDeps, signal: AbortSignal): Promise<void> {
  const { clock, standing } = deps
  const backoff = createBackoff({
    initialMs: FIRST_RETRY_MS,
    capMs: MAX_RETRY_MS,
    random: deps.random,
  })
  let schedule = scheduleOf(deps, ANY_TIME, clock.now())
  let mustAttest = false
  while (!signal.aborted) {
    standing.bell.reset()
    mustAttest = mustAttestAfter(standing.take(), deps) || mustAttest
    const waitMs = mustAttest ? 0 : schedule.dueInMs()
    if (waitMs > 0) {
      await clock.sleep(waitMs, AbortSignal.any([signal, standing.bell.signal()]))
      continue
    }
    const askedAt = clock.now()
    try {
      const renew = () => renewOnce(deps, mustAttest, signal)
      await (deps.measureRotation === undefined ? renew() : deps.measureRotation(renew))
      mustAttest = false
      const obtainedAt = obtainedBetween(askedAt, clock.now())
      const keepMs = keepAtLeastMs(obtainedAt, deps.svid().expiresAt)
      schedule = scheduleOf(deps, obtainedAt.getTime() + keepMs, obtainedAt)
      backoff.reset()
    } catch (error) {
      if (signal.aborted) return
      deps.onFailure(explainEarly(deps, error))
      stopIfExpired(deps, error)
      const waitMs = Math.min(backoff.next(), patienceMs(deps))
      await clock.sleep(waitMs, AbortSignal.any([signal, standing.bell.signal()]))
    }
  }
}

/** No server takes an SVID that is not valid yet, and closes the connection without a word. */
function explainEarly({ svid, clock }: RenewDeps, cause: unknown): unknown {
  const [{ notBefore }, now] = [svid(), clock.now()]
  if (!isOfTheFuture(notBefore, now)) return cause
  const why = `the agent's SVID is not valid before ${notBefore.toISOString()}, and it is ${now.toISOString()} by the clock of this machine; set the clock right, wait until then, or attest the node anew (${reasonOf(cause)})`
  return new IdentityError('UNAVAILABLE', why, { cause })
}

/** How long the next attempt may wait: the shorter the SVID still lives, the sooner. */
function patienceMs({ svid, clock }: RenewDeps): number {
  const leftMs = svid().expiresAt.getTime() - clock.now().getTime()
  return Math.max(MIN_RETRY_MS, leftMs * RETRY_SHARE)
}

interface Schedule {
  dueInMs(): number
}

/** @param earliestMs not before then, whatever the SVID says */
function scheduleOf(
  { svid, bundle, policy, random, clock }: RenewDeps,
  earliestMs: number,
  obtainedAt: Date,
): Schedule {
  const { notBefore, expiresAt, authorityKeyIds } = svid()
  const renewMs = renewalTime({ notBefore, expiresAt }, policy, random).getTime()
  // The clock was set back while the agent was down.
  const isEarly = earliestMs === ANY_TIME && isOfTheFuture(notBefore, obtainedAt)
  return {
    dueInMs() {
      if (isEarly || isOfTheFuture(obtainedAt, clock.now())) return 0
      const dueMs = isTainted(authorityKeyIds, bundle()) ? earliestMs : renewMs
      return Math.max(dueMs, earliestMs) - clock.now().getTime()
    },
  }
}

function isTainted(authorityKeyIds: readonly string[], bundle: Bundle): boolean {
  const tainted = taintedKeyIds(bundle)
  return authorityKeyIds.some((id) => tainted.has(id))
}

function mustAttestAfter(refusal: IdentityError | undefined, { svid, advice }: RenewDeps): boolean {
  if (refusal === undefined) return false
  const reaction = reactionTo(refusal.code, svid().reattestable)
  switch (reaction.kind) {
    case 'retry':
      return false
    case 'reattest':
      return true
    case 'stop':
      throw new IdentityError(refusal.code, `${reaction.reason}; ${advice}`, { cause: refusal })
    default:
      reaction satisfies never
      return false
  }
}

async function renewOnce(deps: RenewDeps, mustAttest: boolean, signal: AbortSignal): Promise<void> {
  const { keys } = deps
  const svid = deps.svid()
  const key = await generateKey('ec-p256')
  const keyId = otherKeyId(findKey(keys, spkiOf(svid.key))?.id)
  const keepKey = () => keys.put(keyId, key)
  await keepKey().catch((error: unknown) => oweAtTheEnd(deps, 'key', keepKey, error))
  const attestAnew = mustAttest || svid.reattestable
  const next = attestAnew ? await deps.attest(key, signal) : await renewed(deps, key, signal)
  try {
    await deps.adopt(next)
  } catch (error) {
    const adoptLatest = () => deps.adopt(deps.svid())
    oweAtTheEnd(deps, 'svid', adoptLatest, error)
    deps.hold(next)
  }
}

/** Of the life of an SVID: until then the disk comes first, and what it does not take is not used. */
const LAST_SHARE = 0.1

/** A crash after a renewal that is not on disk leaves an agent that cannot go on; without the renewal it ends anyway. */
function oweAtTheEnd(
  { svid, clock, owe }: RenewDeps,
  name: DebtName,
  write: () => Promise<void>,
  error: unknown,
): void {
  const { notBefore, expiresAt } = svid()
  const lifeMs = expiresAt.getTime() - notBefore.getTime()
  const leftMs = expiresAt.getTime() - clock.now().getTime()
  if (leftMs > LAST_SHARE * lifeMs) throw error
  owe(name, write, error)
}

async function renewed(deps: RenewDeps, key: KeyObject, signal: AbortSignal): Promise<AgentSvid> {
  const { connection, standing, clock } = deps
  const lease = connection.lease()
  const csr = createCsr({ key })
  let response: RenewAgentResponse
  try {
    response = await callUnary<RenewAgentResponse>(
      (done) => lease.agent.RenewAgent({ params: { csr } }, done),
      { clock, signal, deadlineMs: connection.hasOthers() ? ANSWER_MS : undefined },
    )
  } catch (error) {
    standing.report(error, lease)
    const explained = connection.explain(error)
    connection.leave(lease, error)
    throw explained
  }
  const before = deps.svid()
  const bundle = deps.bundle()
  const chain = response.svid?.cert_chain ?? []
  verifyX509Svid({ chain, bundle, now: clock.now() })
  const { trustDomain } = bundle
  return agentSvid({ chain, key, reattestable: before.reattestable, trustDomain })
}

function stopIfExpired({ svid, clock, advice }: RenewDeps, error: unknown): void {
  const { expiresAt, reattestable } = svid()
  if (reattestable || clock.now() < expiresAt) return
  const why = `the agent cannot go on: its SVID has expired and could not be renewed: ${reasonOf(error)}; ${advice}`
  throw new IdentityError('AGENT_EXPIRED', why, { cause: error })
}
