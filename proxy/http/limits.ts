/** The bounds of the HTTP data path, each with its unit. Whatever exceeds one is refused, never truncated. */

export interface HttpLimits {
  /** Bytes of a head, request or response line included; Envoy allows 60 KiB. Beyond: 431, or 502 for a response. */
  readonly headBytes: number
  /** Header lines of a head, and of a trailer; Envoy's default. Beyond: 431, or 502 for a response. */
  readonly headers: number
  /** From the first byte of a request to the end of its head; beyond: 408. */
  readonly headTimeoutMs: number
  /** Without a byte in either direction during an exchange, upgraded ones excepted; beyond: 504, or cut off. */
  readonly streamIdleMs: number
  /** A client connection without a request; beyond: closed. */
  readonly idleMs: number
  /** Until a response begins, counted from the end of the head; 0 for no limit, as Istio has it. Beyond: 504. */
  readonly responseTimeoutMs: number
  /** Until an upstream connection is made; beyond: 503. */
  readonly connectTimeoutMs: number
  /** Bytes of a request that are still read after it was answered early, so that the answer is not lost by a reset. */
  readonly lingerBytes: number
  readonly lingerMs: number
  /** Streams that a client may have open on one HTTP/2 connection. */
  readonly concurrentStreams: number
  /** Streams that a client may reset on one HTTP/2 connection in a burst, and per second after it; beyond: GOAWAY. */
  readonly resetBurst: number
  readonly resetsPerSecond: number
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  headBytes: 60 * 1024,
  headers: 100,
  headTimeoutMs: 30_000,
  streamIdleMs: 300_000,
  idleMs: 3_600_000,
  responseTimeoutMs: 0,
  connectTimeoutMs: 10_000,
  lingerBytes: 1024 * 1024,
  lingerMs: 2_000,
  concurrentStreams: 100,
  resetBurst: 200,
  resetsPerSecond: 50,
}
