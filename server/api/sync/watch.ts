/**
 * Watch: tells an agent of every change to its entries and to the bundle as it happens. The stream lives only as long
 * as a new call of the same caller would be let in: it fails with a ban, an eviction or a revoked authority. It
 * just ends when the agent is to connect again: its SVID has been replaced or has expired, or the server stops. Before
 * the first message an agent waits for its turn, and for this server to know what another one told it.
 *
 * @see proto/steeple/server/sync/v1/sync.proto
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { WatchRequest } from '../../../proto/gen/steeple/server/sync/v1/WatchRequest.ts'
import type { WatchResponseInput } from '../../../proto/gen/steeple/server/sync/v1/WatchResponse.ts'
import type { Call } from '../../../proto/serve.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import type { Clock } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { SpiffeId, TrustDomain } from '../../../spiffe/id.ts'
import type { EntryIndex } from '../../entries/entry-index.ts'
import type { Caller, PeerCaller } from '../../listen/caller.ts'
import type { HandedBundles } from '../../nodes/handed-bundles.ts'
import { judgeAgent } from '../../nodes/judge-agent.ts'
import type { AttestedNode } from '../../nodes/node.ts'
import { agentOf } from '../agent-caller.ts'
import { changeMessages, snapshotMessages, type View, viewOf } from './watch-messages.ts'
import { paceOf } from './watch-pace.ts'
import type { Watcher, Watchers } from './watchers.ts'

export interface WatchDeps {
  readonly index: Pick<EntryIndex, 'authorizedFor'>
  readonly localBundle: { current(): Bundle }
  readonly federatedView: { find(trustDomain: TrustDomain): Bundle | undefined }
  /** Remembers what callers were handed. */
  readonly handed: Pick<HandedBundles, 'note'>
  readonly nodes: { find(id: SpiffeId): Promise<AttestedNode | undefined> }
  readonly watchers: Watchers
  readonly clock: Clock
  /** Aborts when the server stops, which also wakes all watchers: streams end before it waits for them. */
  readonly stopping: AbortSignal
}

/** A look at the log takes milliseconds. */
const LOOK_AGAIN_MS = 1_000
/** News right after news waits this long, so that a burst of writes costs one look instead of hundreds. */
const BURST_PAUSE_MS = 25

type Send = (message: WatchResponseInput) => Promise<void>

/** @throws IdentityError UNAVAILABLE or RATE_LIMITED before the first message, and those of a caller let in no more */
export async function watch(
  request: WatchRequest,
  call: Call<Caller>,
  send: Send,
  deps: WatchDeps,
): Promise<void> {
  const caller = agentOf(call.caller)
  const { admission, place } = deps.watchers
  const over = AbortSignal.any([call.signal, deps.stopping])
  await admission.enter(caller.svid.id, over)
  await place.reach(request.known_sequence, over)
  using watcher = deps.watchers.add(caller.svid.id)
  call.signal.addEventListener('abort', watcher.bell.ring, { once: true })
  const pacer = openPacer(caller, request, send, deps)
  await tellUntilGone({ caller, watcher, pacer, gone: call.signal, send }, deps)
}

interface Stream {
  readonly caller: PeerCaller
  readonly watcher: Watcher
  readonly pacer: Pacer
  readonly gone: AbortSignal
  readonly send: Send
}

async function tellUntilGone(stream: Stream, deps: WatchDeps): Promise<void> {
  const { caller, watcher, pacer, gone, send } = stream
  const { clock, stopping } = deps
  let told: View | undefined
  while (!gone.aborted) {
    watcher.bell.reset()
    if (stopping.aborted || watcher.isReplaced()) return
    const sequence = deps.watchers.place.current()
    const view = viewOf(
      deps.index.authorizedFor(caller.svid.id),
      deps.localBundle.current(),
      deps.federatedView.find,
    )
    if (await isOutlived(caller, deps)) return
    if (told !== undefined && told.bundle !== view.bundle) await caller.verifyAgain()
    const messages = told === undefined ? snapshotMessages(view) : changeMessages(told, view)
    const heartbeat_ms = told === undefined ? pacer.heartbeatMs : 0
    let isNews = false
    for (const message of withLast(messages, { sequence, heartbeat_ms })) {
      await send(message)
      if (gone.aborted) return
      isNews = true
    }
    if (told?.bundle !== view.bundle) deps.handed.note(caller.svid, view.bundle)
    told = view
    if (isNews) pacer.spoke()
    if (isNews) await clock.sleep(BURST_PAUSE_MS, gone)
    await pacer.pause(watcher.bell.signal())
    // Whatever else is committed in this turn of the event loop is told together.
    await nextTurn()
  }
}

/** The last message says what holds once all of them have been taken in. */
function* withLast(
  messages: Iterable<WatchResponseInput>,
  last: WatchResponseInput,
): Generator<WatchResponseInput> {
  let held: WatchResponseInput | undefined
  for (const message of messages) {
    if (held !== undefined) yield held
    held = message
  }
  if (held !== undefined) yield { ...held, ...last }
}

interface Pacer {
  readonly heartbeatMs: number
  /** Something has been sent. */
  spoke(): void
  /** Until the bell rings or the SVID has expired; says meanwhile what is due. */
  pause(bell: AbortSignal): Promise<void>
}

function openPacer(
  { svid }: PeerCaller,
  request: WatchRequest,
  send: Send,
  { clock, watchers }: WatchDeps,
): Pacer {
  const now = () => clock.now().getTime()
  const { heartbeatMs, moveAfterMs, staleAfterMs } = paceOf(svid.id, request.heartbeat_ms)
  const expiresMs = svid.expiresAt.getTime() + 1
  let moveMs = now() + moveAfterMs
  let spokeMs = now()
  const beganMs = now()
  /** Once per stream, and only for who would hear of it. */
  const staleAtMs = () => {
    const lookedMs = heartbeatMs === 0 ? undefined : watchers.place.lookedMs()
    if (lookedMs === undefined || moveMs === Number.POSITIVE_INFINITY)
      return Number.POSITIVE_INFINITY
    return Math.max(beganMs, lookedMs) + staleAfterMs(watchers.count())
  }
  /** Asked twice: after a pause of this process itself, what has come meanwhile is read first. */
  const isStale = async (bell: AbortSignal) => {
    if (now() < staleAtMs()) return false
    await clock.sleep(LOOK_AGAIN_MS, bell)
    return now() >= staleAtMs()
  }
  const heartbeatDueMs = () =>
    heartbeatMs === 0 ? Number.POSITIVE_INFINITY : spokeMs + heartbeatMs
  return {
    heartbeatMs,
    spoke() {
      spokeMs = now()
    },
    async pause(bell) {
      while (!bell.aborted && now() < expiresMs) {
        const untilMs = Math.min(expiresMs, moveMs, heartbeatDueMs(), staleAtMs())
        await clock.sleep(untilMs - now(), bell)
        const move = now() >= moveMs || (await isStale(bell))
        if (bell.aborted || (!move && now() < heartbeatDueMs())) continue
        if (move) moveMs = Number.POSITIVE_INFINITY
        spokeMs = now()
        await send({ sequence: watchers.place.current(), move })
      }
    },
  }
}

/**
 * Asks what the gate asked when the stream began, and fails closed.
 * @returns whether another SVID may have taken over from the one of this stream: the agent then connects again with
 *   that, and only if it is refused too does it hear the reason that makes it attest anew
 */
async function isOutlived({ svid }: PeerCaller, { nodes, clock }: WatchDeps): Promise<boolean> {
  const judgement = judgeAgent(svid, await nodes.find(svid.id), clock.now())
  if (judgement.kind !== 'refused') return false
  const { code, message } = judgement
  if (code === 'AGENT_NOT_ACTIVE' || code === 'AGENT_EXPIRED') return true
  throw new IdentityError(code, message)
}
