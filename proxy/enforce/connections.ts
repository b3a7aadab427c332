/**
 * Every connection that is open, so that a change of policy, identity or bundle reaches it: each is asked again and those
 * that are now denied are closed. A connection is entered before it is first judged, so none slips through between the
 * judgement and the entry.
 */
import type { Bundle } from '../../spiffe/bundle.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import type { VerifiedPeer } from '../../workload/tls/judge-peer.ts'
import { distrustOnce } from '../identity/still-trusted.ts'

export type Direction = 'inbound' | 'outbound'

export interface LiveConnection {
  readonly direction: Direction
  readonly listener: string
  /** `ip:port` */
  readonly source: string
  readonly destination: string
  readonly openedAt: Date
  /** Undefined: plaintext, or TLS that is not ours. */
  readonly peer: VerifiedPeer | undefined
  /** `hbone`: it carries tunnels, each of which is entered by itself. */
  readonly protocol: 'tcp' | 'http' | 'hbone'
  /** Why it may not go on; asks again for the requests on it. */
  rejudge(): string | undefined
  /** Ends when nothing is in flight. */
  drain(): void
  /** Ends now. @param reason for the access log */
  close(reason: string): void
  /** Tells the metrics what was carried. @returns the bytes so far, both ways; undefined where others watch for idleness */
  report(): number | undefined
}

export interface Connections {
  /** @returns takes it out again */
  add(connection: LiveConnection): () => void
  readonly size: number
  list(): Iterable<LiveConnection>
  /** After a change of policy. @returns how many were closed */
  rejudge(): number
  /** After a change of identity or bundles. @returns how many were closed */
  rejudgePeers(bundles: ReadonlyMap<TrustDomain, Bundle>, now: Date): number
  /** Each ends as soon as nothing is in flight on it. */
  drain(): void
  closeAll(reason: string): void
  /** Closes what has carried nothing for `limitMs`; to be called every now and then. */
  sweepIdle(now: Date, limitMs: number): void
  /** Resolves when there is none. */
  empty(): Promise<void>
}

interface Idle {
  traffic: number
  sinceMs: number
}

export function createConnections(): Connections {
  const open = new Map<LiveConnection, Idle>()
  let waiting: (() => void)[] = []
  const closeIf = (reasonOf: (connection: LiveConnection) => string | undefined): number => {
    let closed = 0
    for (const connection of [...open.keys()]) {
      const reason = reasonOf(connection)
      if (reason === undefined) continue
      connection.close(reason)
      closed += 1
    }
    return closed
  }
  return {
    add(connection) {
      open.set(connection, { traffic: -1, sinceMs: 0 })
      return () => {
        if (!open.delete(connection) || open.size > 0) return
        for (const resolve of waiting) resolve()
        waiting = []
      }
    },
    get size() {
      return open.size
    },
    list: () => open.keys(),
    rejudge: () => closeIf((connection) => connection.rejudge()),
    rejudgePeers(bundles, now) {
      const distrust = distrustOnce(bundles, now)
      return closeIf(({ peer }) => (peer === undefined ? undefined : distrust(peer)))
    },
    drain() {
      for (const connection of [...open.keys()]) connection.drain()
    },
    closeAll: (reason) => void closeIf(() => reason),
    sweepIdle(now, limitMs) {
      for (const [connection, idle] of [...open]) {
        const traffic = connection.report()
        if (traffic === undefined) continue
        if (traffic !== idle.traffic) {
          idle.traffic = traffic
          idle.sinceMs = now.getTime()
        } else if (now.getTime() - idle.sinceMs >= limitMs) {
          connection.close(`nothing was carried for ${limitMs / 1000} s`)
        }
      }
    },
    empty: () =>
      open.size === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            waiting.push(resolve)
          }),
  }
}
