/**
 * Watch: tells an agent of every change to its entries and to the bundle as it happens. The stream lives only as long
 * as a new call of the same caller would be let in: it fails with a ban, an eviction or a revoked authority. It
 * just ends when the agent is to connect again: its SVID has been replaced or has expired, or the server stops.
 *
 * @see proto/steeple/server/sync/v1/sync.proto
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
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

/** News right after news waits this long, so that a burst of writes costs one look instead of hundreds. */
const BURST_PAUSE_MS = 25

export async function watch(
  call: Call<Caller>,
  send: (message: WatchResponseInput) => Promise<void>,
  deps: WatchDeps,
): Promise<void> {
  const caller = agentOf(call.caller)
  using watcher = deps.watchers.add(caller.svid.id)
  call.signal.addEventListener('abort', watcher.bell.ring, { once: true })
  await tellUntilGone(caller, watcher, call.signal, send, deps)
}

async function tellUntilGone(
  caller: PeerCaller,
  watcher: Watcher,
  gone: AbortSignal,
  send: (message: WatchResponseInput) => Promise<void>,
  deps: WatchDeps,
): Promise<void> {
  const { clock, stopping } = deps
  let told: View | undefined
  while (!gone.aborted) {
    watcher.bell.reset()
    if (stopping.aborted || watcher.isReplaced()) return
    const view = viewOf(
      deps.index.authorizedFor(caller.svid.id),
      deps.localBundle.current(),
      deps.federatedView.find,
    )
    if (await isOutlived(caller, deps)) return
    if (told !== undefined && told.bundle !== view.bundle) await caller.verifyAgain()
    const messages = told === undefined ? snapshotMessages(view) : changeMessages(told, view)
    let isNews = false
    for (const message of messages) {
      await send(message)
      if (gone.aborted) return
      isNews = true
    }
    if (told?.bundle !== view.bundle) deps.handed.note(caller.svid, view.bundle)
    told = view
    if (isNews) await clock.sleep(BURST_PAUSE_MS, gone)
    const untilExpiryMs = caller.svid.expiresAt.getTime() + 1 - clock.now().getTime()
    await clock.sleep(untilExpiryMs, watcher.bell.signal())
    // Whatever else is committed in this turn of the event loop is told together.
    await nextTurn()
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
