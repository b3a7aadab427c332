/**
 * The headers of B3, in one line or in several: what Zipkin's callers send in the place of a traceparent. Pure.
 * What cannot be read counts as absent.
 * @see https://github.com/openzipkin/b3-propagation
 */
import type { HeaderLine, RequestHead } from '../http/exchange.ts'

/** What came, and is handed on in the same form. */
export interface B3 {
  readonly form: 'single' | 'multiple'
  /** Undefined: there is a decision alone, and a trace is to begin. */
  readonly caller: B3Caller | undefined
  /** Undefined: whoever comes next decides. `debug`: kept whatever happens. */
  readonly decision: 'kept' | 'debug' | 'dropped' | undefined
}

export interface B3Caller {
  /** As it came: 16 or 32 digits in lower-case hexadecimal, not all zero. */
  readonly sentTraceId: string
  /** 32 digits, filled up with zeros. */
  readonly traceId: string
  readonly spanId: string
}

const TRACE_ID = /^(?!0+$)(?:[0-9a-f]{16}){1,2}$/
const SPAN_ID = /^(?!0+$)[0-9a-f]{16}$/
const TRACE_ID_DIGITS = 32

/** All names; those that did not come are harmless to remove. */
export const B3_HEADERS: readonly string[] = [
  'b3',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-b3-flags',
]

type Headers = Pick<RequestHead, 'headerLines'>

/** The single line counts when both forms came. */
export function readB3(head: Headers): B3 | undefined {
  return readSingle(onlyLine(head, 'b3')) ?? readMultiple(head)
}

/** Of lines that come twice neither is believed. */
function onlyLine(head: Headers, name: string): string | undefined {
  const [line, another] = head.headerLines(name)
  return another === undefined ? line : undefined
}

/** `{trace}-{span}`, `{trace}-{span}-{decision}`, either with a further `-{parent}`, or a decision alone. */
function readSingle(line: string | undefined): B3 | undefined {
  if (line === undefined) return undefined
  const parts = line.split('-', 5)
  const [first = '', spanId = '', state, parent] = parts
  if (parts.length === 1) {
    const decision = decisionOf(first)
    return decision === undefined ? undefined : { form: 'single', caller: undefined, decision }
  }
  const caller = callerOf(first, spanId)
  if (caller === undefined || parts.length > 4) return undefined
  if (parent !== undefined && !SPAN_ID.test(parent)) return undefined
  const decision = state === undefined ? undefined : decisionOf(state)
  if (state !== undefined && decision === undefined) return undefined
  return { form: 'single', caller, decision }
}

function decisionOf(state: string): B3['decision'] {
  if (state === '1') return 'kept'
  if (state === 'd') return 'debug'
  return state === '0' ? 'dropped' : undefined
}

function readMultiple(head: Headers): B3 | undefined {
  const caller = callerOf(onlyLine(head, 'x-b3-traceid') ?? '', onlyLine(head, 'x-b3-spanid') ?? '')
  const decision =
    onlyLine(head, 'x-b3-flags') === '1' ? 'debug' : sampledOf(onlyLine(head, 'x-b3-sampled'))
  if (caller === undefined && decision === undefined) return undefined
  return { form: 'multiple', caller, decision }
}

/** Old callers write the decision as a word. */
function sampledOf(text: string | undefined): B3['decision'] {
  if (text === '1' || text === 'true') return 'kept'
  return text === '0' || text === 'false' ? 'dropped' : undefined
}

function callerOf(sentTraceId: string, spanId: string): B3Caller | undefined {
  if (!TRACE_ID.test(sentTraceId) || !SPAN_ID.test(spanId)) return undefined
  return { sentTraceId, traceId: sentTraceId.padStart(TRACE_ID_DIGITS, '0'), spanId }
}

/** The lines that take the place of `b3`: in its form, with its width of the trace ID. */
export function writeB3(
  { form, caller, decision }: B3,
  ours: { readonly traceId: string; readonly spanId: string; readonly isSampled: boolean },
): readonly HeaderLine[] {
  const traceId = caller?.sentTraceId ?? ours.traceId
  const isDebug = decision === 'debug'
  const sampled = ours.isSampled ? '1' : '0'
  const parent = caller?.spanId
  if (form === 'single') {
    const line = `${traceId}-${ours.spanId}-${isDebug ? 'd' : sampled}`
    return [['b3', parent === undefined ? line : `${line}-${parent}`]]
  }
  const ids: HeaderLine[] = [
    ['x-b3-traceid', traceId],
    ['x-b3-spanid', ours.spanId],
    isDebug ? ['x-b3-flags', '1'] : ['x-b3-sampled', sampled],
  ]
  return parent === undefined ? ids : [...ids, ['x-b3-parentspanid', parent]]
}
