/**
 * Puts a span around each request of a connection: begun before it is judged, so that a refused one has its span too, and ended
 * with its record. The span's header is added after the judgement: rules see what the caller sent, and nobody else's edit replaces it.
 */
import type { Address } from '../../config/address.ts'
import type { RequestHead, RequestHooks, RequestJudgement } from '../http/exchange.ts'
import type { Incoming } from '../listen/incoming.ts'
import type { BegunSpan } from './begin-span.ts'
import type { Tracing } from './tracing.ts'

/** @param upstream where the requests go */
export function traceRequests(
  tracing: Tracing,
  { incoming, upstream }: { readonly incoming: Incoming; readonly upstream: Address },
  hooks: RequestHooks,
): RequestHooks {
  /** One object may show many requests, but never two at once: each is taken out at its end. */
  const begun = new WeakMap<RequestHead, BegunSpan>()
  return {
    judge(head, occasion) {
      if (occasion === 'change') return hooks.judge(head, occasion)
      // A request that policy changed under is judged twice, and has one span.
      const span = begun.get(head) ?? tracing.begin(head)
      if (span === undefined) return hooks.judge(head, occasion)
      begun.set(head, span)
      const judged = hooks.judge(head, occasion)
      return judged instanceof Promise
        ? judged.then((judgement) => handOn(judgement, span))
        : handOn(judged, span)
    },
    onExchangeEnd(record) {
      hooks.onExchangeEnd(record)
      const { head } = record
      const span = head === undefined ? undefined : begun.get(head)
      if (head === undefined || span === undefined) return
      begun.delete(head)
      if (span.isSampled) tracing.end({ begun: span, head, record, incoming, upstream })
    },
  }
}

/** Ours last: what others would set under these names is taken out. */
function handOn(judgement: RequestJudgement, { edits: ours }: BegunSpan): RequestJudgement {
  if (judgement.kind === 'answer') return judgement
  const { edits } = judgement
  if (edits === undefined) return { ...judgement, edits: ours }
  const theirs = edits.add.filter(([name]) => !ours.remove.includes(name))
  const merged = {
    path: edits.path,
    remove: [...edits.remove, ...ours.remove],
    add: [...theirs, ...ours.add],
  }
  return { ...judgement, edits: merged }
}
