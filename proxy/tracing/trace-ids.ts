/** IDs of traces and spans, and the dice that say which traces are kept. Random bytes are drawn for many at once: they are cheap by the page. */
import type { RandomBytes } from '../../spiffe/random.ts'

const TRACE_ID_BYTES = 16
const SPAN_ID_BYTES = 8
/** A number below 2 to the power of 32. */
const CHANCE_BYTES = 4
const CHANCE_STEPS = 2 ** 32
/** Drawn at once; more than any one of them needs. */
const PAGE_BYTES = 4096

export interface TraceIds {
  /** 32 digits, in lower-case hexadecimal, never all zero. */
  traceId(): string
  /** 16 digits, likewise. */
  spanId(): string
  /** From 0 (included) to 1 (excluded). */
  chance(): number
}

/** @param randomBytes is to be that of the system: whoever can guess an ID can add to a trace that is not theirs */
export function traceIds(randomBytes: RandomBytes): TraceIds {
  let page = Buffer.alloc(0)
  let at = 0
  const take = (bytes: number): Buffer => {
    if (at + bytes > page.length) {
      page = Buffer.from(randomBytes(PAGE_BYTES))
      at = 0
    }
    at += bytes
    return page.subarray(at - bytes, at)
  }
  const id = (bytes: number): string => {
    const drawn = take(bytes)
    // All zero says that there is none. W3C Trace Context §3.2.2.3
    if (drawn.every((byte) => byte === 0)) drawn[bytes - 1] = 1
    return drawn.toString('hex')
  }
  return {
    traceId: () => id(TRACE_ID_BYTES),
    spanId: () => id(SPAN_ID_BYTES),
    chance: () => take(CHANCE_BYTES).readUInt32BE() / CHANCE_STEPS,
  }
}
