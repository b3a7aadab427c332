/**
 * Keeps what the agent knows in step with the server: by its push where there is one, else by polling as SPIRE's
 * agent does. Both give the same updates, and losing the server only means that none come.
 */
import { IdentityError } from '../../spiffe/error.ts'
import type { Random } from '../../spiffe/random.ts'
import { type Backoff, createBackoff } from '../backoff.ts'
import { federationsOf } from '../cache/knowledge.ts'
import { fetchOwnBundle } from '../node/own-bundle.ts'
import type { ServerConnection } from '../node/server-connection.ts'
import type { Standing } from '../node/standing.ts'
import { type Comeback, createComeback } from './comeback.ts'
import { fetchFederated } from './federated.ts'
import type { FeedDeps, FeedRun } from './feed.ts'
import { pollOnce } from './poll.ts'
import { followPush } from './push.ts'

export type FeedMode = 'push' | 'polling'

export interface FollowDeps extends FeedDeps {
  readonly connection: ServerConnection
  readonly standing: Standing
  readonly syncIntervalMs: number
  /** No workload is served yet, so nobody waits for long pauses. */
  hasNoSvids(): boolean
  /** The agent knows what the server knows; told again after every time that it did not. */
  onInSync(mode: FeedMode): void
  onFailure(error: unknown, retryMs: number): void
  /** Around each poll, for whoever counts and times them. */
  measurePoll?<T>(poll: () => Promise<T>): Promise<T>
  readonly random: Random
}

/** A server may be upgraded to one that pushes. */
const PUSH_PROBE_MS = 5 * 60_000
/** SPIRE's bounds of the pause between polls that fail. */
const MAX_POLL_RETRY_MS = 8 * 60_000
const MAX_POLL_RETRY_INTERVALS = 48
const MAX_PAUSE_WITHOUT_SVIDS_MS = 5_000
/** With another server to go to, one that does not answer a poll is not waited for as long as SPIRE's agent would. */
const POLL_DEADLINE_MS = 10_000
/** While the server pushes, it is asked for something this often: who does not answer is not there. */
const LIVENESS_MS = 30_000

interface Progress {
  mode: FeedMode
  pushFromMs: number
  /** The place in the log of changes that any server has told so far; 0: none has. */
  knownSequence: number
  readonly comeback: Comeback
  readonly pollBackoff: Backoff
}

export async function followServer(deps: FollowDeps, signal: AbortSignal): Promise<void> {
  const { connection, standing, clock } = deps
  const progress = startOf(deps)
  while (!signal.aborted) {
    const lease = connection.lease()
    const run = { lease, signal: AbortSignal.any([signal, lease.signal]) }
    try {
      await oneRound(deps, progress, run)
      await clock.sleep(deps.syncIntervalMs, run.signal)
    } catch (error) {
      if (signal.aborted) return
      if (lease.signal.aborted) continue // another SVID has taken over: begin again with that
      standing.report(error, lease)
      const pauseMs = pauseAfterFailure(deps, progress, error)
      deps.onFailure(connection.explain(error), pauseMs)
      connection.leave(lease, error)
      await clock.sleep(pauseMs, signal)
    }
  }
}

function startOf({ syncIntervalMs, random }: FollowDeps): Progress {
  const pollCapMs = Math.min(MAX_POLL_RETRY_MS, MAX_POLL_RETRY_INTERVALS * syncIntervalMs)
  return {
    mode: 'push',
    pushFromMs: 0,
    knownSequence: 0,
    comeback: createComeback(random),
    pollBackoff: createBackoff({ initialMs: syncIntervalMs, capMs: pollCapMs, random }),
  }
}

/** A whole life of a pushed stream, which ends with an error; or one poll. */
async function oneRound(deps: FollowDeps, progress: Progress, run: FeedRun): Promise<void> {
  const nowMs = deps.clock.now().getTime()
  const succeeded = (mode: FeedMode) => {
    progress.mode = mode
    if (mode === 'push') progress.comeback.reset()
    else progress.pollBackoff.reset()
    deps.onInSync(mode)
  }
  if (deps.usesSync && nowMs >= progress.pushFromMs) {
    try {
      await pushAndProbe(deps, run, progress, () => succeeded('push'))
    } catch (error) {
      if (!(error instanceof IdentityError) || error.code !== 'NOT_IMPLEMENTED') throw error
      progress.mode = 'polling'
      progress.pushFromMs = nowMs + PUSH_PROBE_MS
    }
  }
  const deadlineMs = deps.connection.hasOthers() ? POLL_DEADLINE_MS : undefined
  const poll = () => pollOnce(deps, { ...run, deadlineMs })
  await (deps.measurePoll === undefined ? poll() : deps.measurePoll(poll))
  succeeded('polling')
}

async function pushAndProbe(
  deps: FollowDeps,
  run: FeedRun,
  progress: Progress,
  onInSync: () => void,
): Promise<void> {
  const over = new AbortController()
  const { lease } = run
  const signal = AbortSignal.any([run.signal, over.signal])
  let areFederatedPushed = false
  const onFederatedPushed = () => {
    areFederatedPushed = true
  }
  const push = followPush(deps, {
    ...{ lease, signal, onInSync, onFederatedPushed },
    hasOthers: deps.connection.hasOthers(),
    knownSequence: progress.knownSequence,
    onPlace(sequence) {
      progress.knownSequence = sequence
    },
    // The stream begins anew with the next lease; what it has not heard meanwhile comes with the complete state.
    onMove: () => deps.connection.renew(lease),
  })
  const probe = probeServer(deps, { lease, signal }, () => areFederatedPushed)
  try {
    await Promise.race([push, probe])
  } finally {
    over.abort()
    await Promise.allSettled([push, probe])
  }
}

/** Asks for the bundles from time to time: perhaps the federated ones are not pushed, and a dead server pushes nothing. */
async function probeServer(
  deps: FollowDeps,
  { lease, signal }: FeedRun,
  areFederatedPushed: () => boolean,
): Promise<void> {
  const { clock, trustDomain } = deps
  const limits = { clock, signal }
  let askedAtMs = clock.now().getTime()
  for (;;) {
    await clock.sleep(Math.min(deps.syncIntervalMs, LIVENESS_MS), signal)
    signal.throwIfAborted()
    // Asked anew after each sleep: the first entry that federates may have come meanwhile.
    const mustAsk = !areFederatedPushed() && federationsOf(deps.knowledge().entries).size > 0
    const nowMs = clock.now().getTime()
    if (!mustAsk && nowMs - askedAtMs < LIVENESS_MS) continue
    askedAtMs = nowMs
    const bundle = await fetchOwnBundle(lease, trustDomain, limits)
    const { entries, federated: known, bundle: own } = deps.knowledge()
    const federated = await fetchFederated({
      client: lease.bundle,
      wanted: federationsOf(entries),
      known,
      limits,
      onFailure: (error, failed) => deps.onSkipped(error, { trustDomain: failed }),
    })
    // What was pushed meanwhile is newer than what was asked for before.
    const isNewer = bundle.sequenceNumber > own.sequenceNumber
    deps.apply({ kind: 'bundles', bundle: isNewer ? bundle : undefined, federated })
  }
}

function pauseAfterFailure(
  { hasNoSvids }: FollowDeps,
  { mode, comeback, pollBackoff }: Progress,
  error: unknown,
): number {
  if (mode === 'push') return comeback.next(error)
  const pauseMs = pollBackoff.next()
  return hasNoSvids() ? Math.min(pauseMs, MAX_PAUSE_WITHOUT_SVIDS_MS) : pauseMs
}
