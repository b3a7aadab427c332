/**
 * Who still calls without mutual TLS, by port and address: what STRICT would break, and what it has broken. Bounded; who has
 * called least recently is forgotten first, and that somebody was forgotten who had been let in is told.
 */

export interface PlaintextCaller {
  readonly port: number
  readonly sourceIp: string
  /** Those that were let in. */
  readonly connections: number
  /** Those that were not, for the port is STRICT. */
  readonly refused: number
  readonly firstSeen: Date
  readonly lastSeen: Date
}

export interface PlaintextCallers {
  saw(port: number, sourceIp: string, now: Date, isRefused?: boolean): void
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
    saw(port, sourceIp, now, isRefused = false) {
      const key = `${port} ${sourceIp}`
      const known = callers.get(key)
      callers.delete(key)
      callers.set(key, {
        port,
        sourceIp,
        connections: (known?.connections ?? 0) + (isRefused ? 0 : 1),
        refused: (known?.refused ?? 0) + (isRefused ? 1 : 0),
        firstSeen: known?.firstSeen ?? now,
        lastSeen: now,
      })
      if (callers.size <= max) return
      const [oldest] = callers
      if (oldest === undefined) return
      const [first, { connections }] = oldest
      callers.delete(first)
      if (connections > 0) forgotten += 1
    },
    list: () => [...callers.values()].reverse(),
    get forgotten() {
      return forgotten
    },
  }
}
