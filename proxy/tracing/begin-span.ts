/**
 * Decides about the span of one request by what its caller sent: whose child it is, whether it is kept, and what the request
 * tells those behind us. A caller's decision holds; where there is none, a share of the traces is kept. Pure but for the dice.
 * Headers of a trace that is not kept go on untouched, so that a head without other edits is not written anew.
 */
import type { HeadEdits, HeaderLine, RequestHead } from '../http/exchange.ts'
import { type B3, B3_HEADERS, readB3, writeB3 } from './b3.ts'
import type { TraceIds } from './trace-ids.ts'
import {
  readTraceparent,
  readTracestate,
  type TraceParent,
  writeTraceparent,
} from './traceparent.ts'

export interface BegunSpan {
  readonly traceId: string
  readonly spanId: string
  /** Undefined: the trace begins here. */
  readonly parentSpanId: string | undefined
  readonly traceState: string | undefined
  /** Whether the span is exported; its headers go on in either case. */
  readonly isSampled: boolean
  /** So that those behind us are children of our span, or know that nothing is kept. */
  readonly edits: HeadEdits
}

export interface Sampling {
  readonly ids: TraceIds
  /** Of the traces that begin here, from 0 to 1. */
  readonly share: number
}

type Headers = Pick<RequestHead, 'headerLines'>

/** @returns undefined when the caller's trace is not kept: the request goes on as it came */
export function beginSpan(head: Headers, sampling: Sampling): BegunSpan | undefined {
  const parent = readTraceparent(head.headerLines('traceparent'))
  if (parent !== undefined) return parent.isSampled ? childOf(parent, head, sampling) : undefined
  const b3 = readB3(head)
  if (b3?.decision === 'dropped') return undefined
  return b3 === undefined ? firstSpan(sampling) : spanOfB3(b3, sampling)
}

const TRACEPARENT = 'traceparent'

function childOf(parent: TraceParent, head: Headers, { ids }: Sampling): BegunSpan {
  const { traceId, spanId: parentSpanId, flags } = parent
  const spanId = ids.spanId()
  const line: HeaderLine = [TRACEPARENT, writeTraceparent({ traceId, spanId }, true, flags)]
  const b3 = readB3(head)
  // Who reads B3 alone is to be a child of the same span; of another trace they are none of ours.
  const isSame = b3?.caller?.traceId === traceId
  const lines = isSame ? writeB3(b3, { traceId, spanId, isSampled: true }) : []
  return {
    ...{ traceId, spanId, parentSpanId, isSampled: true },
    traceState: readTracestate(head.headerLines('tracestate')),
    edits: {
      path: undefined,
      remove: isSame ? [TRACEPARENT, ...B3_HEADERS] : [TRACEPARENT],
      add: [line, ...lines],
    },
  }
}

/** §4.3: a state belongs to its traceparent, and goes with one that cannot be read. */
const OF_NO_TRACE: readonly string[] = [TRACEPARENT, 'tracestate']

function firstSpan({ ids, share }: Sampling): BegunSpan {
  const isSampled = ids.chance() < share
  const [traceId, spanId] = [ids.traceId(), ids.spanId()]
  const line: HeaderLine = [TRACEPARENT, writeTraceparent({ traceId, spanId }, isSampled)]
  return {
    ...{ traceId, spanId, parentSpanId: undefined, traceState: undefined, isSampled },
    edits: { path: undefined, remove: OF_NO_TRACE, add: [line] },
  }
}

/** Handed on in both forms: the next one may know either. */
function spanOfB3(b3: B3, { ids, share }: Sampling): BegunSpan {
  const isSampled = b3.decision !== undefined || ids.chance() < share
  const traceId = b3.caller?.traceId ?? ids.traceId()
  const spanId = ids.spanId()
  const line: HeaderLine = [TRACEPARENT, writeTraceparent({ traceId, spanId }, isSampled)]
  return {
    ...{ traceId, spanId, parentSpanId: b3.caller?.spanId, traceState: undefined, isSampled },
    edits: {
      path: undefined,
      remove: [...OF_NO_TRACE, ...B3_HEADERS],
      add: [line, ...writeB3(b3, { traceId, spanId, isSampled })],
    },
  }
}
