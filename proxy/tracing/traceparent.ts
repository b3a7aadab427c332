/**
 * The headers traceparent and tracestate: which trace a request belongs to, and whether that trace is kept. Pure.
 * What cannot be read counts as absent, so that a trace begins anew; nothing of it is handed on.
 * @see W3C Trace Context §3.2 traceparent, §3.3 tracestate, §4.3 — an unreadable one starts a new trace
 */

/** Who called, as the trace knows it. */
export interface TraceParent {
  /** 32 digits in lower-case hexadecimal, not all zero. */
  readonly traceId: string
  /** 16 digits, likewise: the caller's span, which is the parent of ours. */
  readonly spanId: string
  readonly isSampled: boolean
  /** The bits of the flags that go on; the others are unknown to this version. */
  readonly flags: number
}

const SAMPLED = 1
/** The trace ID is random in its last seven bytes; said by whoever made it. */
const RANDOM = 2

/** Later versions may go on behind a dash; `ff` is no version. */
const FORM = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/
const LENGTH_OF_VERSION_0 = 55
/** Characters of what a later version may send. */
const MAX_LENGTH = 256
const ZEROS = /^0+$/

/** @param lines of the header; more than one cannot be told apart and counts as none */
export function readTraceparent(lines: readonly string[]): TraceParent | undefined {
  const [line = '', another] = lines
  if (another !== undefined || line.length > MAX_LENGTH) return undefined
  const [, version, traceId, spanId, bits] = FORM.exec(line) ?? []
  if (version === undefined || traceId === undefined || spanId === undefined) return undefined
  if (version === '00' && line.length !== LENGTH_OF_VERSION_0) return undefined
  if (ZEROS.test(traceId) || ZEROS.test(spanId)) return undefined
  const flags = Number.parseInt(bits ?? '0', 16) & (SAMPLED | RANDOM)
  return { traceId, spanId, isSampled: (flags & SAMPLED) !== 0, flags }
}

/** In version 00, whatever the caller's was. @param flags of the caller, if there was one */
export function writeTraceparent(
  { traceId, spanId }: Pick<TraceParent, 'traceId' | 'spanId'>,
  isSampled: boolean,
  flags = 0,
): string {
  const bits = (flags & RANDOM) | (isSampled ? SAMPLED : 0)
  return `00-${traceId}-${spanId}-0${bits}`
}

/** §3.3.1.5: at least so many characters go on with a span; what is longer stays in the request alone. */
const MAX_STATE_LENGTH = 512
const PRINTABLE = /^[\x20-\x7e]+$/

/** What a span tells of the header tracestate; it goes on with the request as it came. */
export function readTracestate(lines: readonly string[]): string | undefined {
  const state = lines.join(',')
  return state.length <= MAX_STATE_LENGTH && PRINTABLE.test(state) ? state : undefined
}
