/**
 * The spans that wait for the collector, and the loop that brings them there. Nothing of it is waited for by a request: what the
 * queue has no room for is dropped and counted. A collector that is away costs one line of the log, and one when it is back.
 */
import type { Log } from '../../log/open-log.ts'
import { createBell } from '../../spiffe/bell.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { deadlineIn } from '../../spiffe/deadline.ts'
import { runLoops } from '../../spiffe/running-loops.ts'
import { encodeSpans, rejectedSpans } from './otlp-json.ts'
import type { PostSpans } from './post-spans.ts'
import type { Span } from './span.ts'

/** Those that wait; beyond it a span is dropped. */
export const MAX_WAITING_SPANS = 4_096
/** Spans of one request to the collector. */
export const MAX_BATCH_SPANS = 512
/** How long a span waits for others, unless there is a batch of them. */
export const EVERY_MS = 1_000
/** Of the pause while the collector is away; it doubles from `EVERY_MS` up to here. */
const MAX_PAUSE_MS = 30_000
/** How long spans that wait at the end are still brought away. */
export const FLUSH_MS = 1_500

export interface SpanCounts {
  exported(spans: number): void
  dropped(spans: number): void
}

export interface ExportOptions {
  readonly post: PostSpans
  readonly counts: SpanCounts
  readonly clock: Clock
  readonly log: Log
}

/** Disposing brings away what waits, for a bounded time; what is left then is dropped. */
export interface SpanExport extends AsyncDisposable {
  add(span: Span): void
}

type Outcome = 'nothing' | 'done' | 'away'

export function openSpanExport(options: ExportOptions): SpanExport {
  const { clock, counts, log } = options
  const waiting: Span[] = []
  const bell = createBell()
  const giveUp = new AbortController()
  const send = createSender(options, waiting, giveUp.signal)
  const loops = runLoops([
    async (stop) => {
      stop.addEventListener('abort', () => bell.ring())
      let pauseMs = EVERY_MS
      let last: Outcome = 'nothing'
      while (!stop.aborted) {
        bell.reset()
        const isEnough = waiting.length >= MAX_BATCH_SPANS && last !== 'away'
        // A bell that rang in between is heard by the next round.
        if (!isEnough) await clock.sleep(pauseMs, last === 'away' ? stop : bell.signal())
        if (stop.aborted) break
        last = await send()
        pauseMs = last === 'away' ? Math.min(pauseMs * 2, MAX_PAUSE_MS) : EVERY_MS
      }
    },
  ])
  return {
    add(span) {
      if (waiting.length >= MAX_WAITING_SPANS) {
        counts.dropped(1)
        return
      }
      waiting.push(span)
      if (waiting.length === MAX_BATCH_SPANS) bell.ring()
    },
    async [Symbol.asyncDispose]() {
      using deadline = deadlineIn(FLUSH_MS, clock)
      deadline.signal.addEventListener('abort', () => giveUp.abort())
      await loops[Symbol.asyncDispose]()
      while (!deadline.isOver && (await send()) === 'done');
      const left = waiting.splice(0).length
      if (left === 0) return
      counts.dropped(left)
      log.warn({ spans: left }, 'Spans are dropped: the collector did not take them in time')
    },
  }
}

/** @returns sends one batch of those that wait; they wait on when the collector is away */
function createSender(
  { post, counts, log }: ExportOptions,
  waiting: Span[],
  signal: AbortSignal,
): () => Promise<Outcome> {
  let isAway = false
  const complain = (reason: string) => {
    if (isAway) return
    isAway = true
    log.warn({ reason }, 'The collector does not take spans')
  }
  return async () => {
    const batch = waiting.slice(0, MAX_BATCH_SPANS)
    if (batch.length === 0) return 'nothing'
    const posted = await post(encodeSpans(batch), signal)
    if (posted.kind === 'away') {
      complain(posted.reason)
      return 'away'
    }
    waiting.splice(0, batch.length)
    if (posted.kind === 'refused') {
      counts.dropped(batch.length)
      complain(posted.reason)
      return 'done'
    }
    const rejected = rejectedSpans(posted.answer, batch.length)
    counts.exported(batch.length - rejected)
    if (rejected > 0) counts.dropped(rejected)
    if (isAway) log.info('The collector takes spans again')
    isAway = false
    return 'done'
  }
}
