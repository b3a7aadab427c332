/**
 * Who still calls without mutual TLS, by port and address: what STRICT would break. Bounded; who has called least recently is
 * forgotten first, and that somebody was forgotten is told.
 */

export interface PlaintextCaller {
  readonly port: number
  readonly sourceIp: string
  readonly connections: number
  readonly firstSeen: Date
  readonly lastSeen: Date
}

export interface PlaintextCallers {
  saw(port: number, sourceIp: string, now: Date): void
  list(): readonly PlaintextCaller[]
  readonly forgotten: number
}

/** Pairs of port and address. */
const MAX_CALLERS = 1_000

export function createPlaintextCallers(max = MAX_CALLERS): PlaintextCallers {
  /** In the order of their last call. */
  const callers = new Map<string, PlaintextCaller>()
  let forgotten = 0
  return {
    saw(port, sourceIp, now) {
      const key = `${port} ${sourceIp}`
      const known = callers.get(key)
      callers.delete(key)
      callers.set(key, {
        port,
        sourceIp,
        connections: (known?.connections ?? 0) + 1,
        firstSeen: known?.firstSeen ?? now,
        lastSeen: now,
      })
      if (callers.size <= max) return
      const [oldest] = callers.keys()
      if (oldest !== undefined) callers.delete(oldest)
      forgotten += 1
    },
    list: () => [...callers.values()].reverse(),
    get forgotten() {
      return forgotten
    },
  }
}
