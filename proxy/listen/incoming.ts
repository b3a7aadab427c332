/** A connection that has passed the gate: its bytes, and everything that is known about who sends them. */
import type { Duplex } from 'node:stream'
import type { ConnectionFacts } from '../../policy/facts.ts'
import type { VerifiedPeer } from '../../workload/tls/judge-peer.ts'
import type { Direction } from '../enforce/connections.ts'
import type { Parties } from '../telemetry/parties.ts'

export interface Incoming {
  readonly direction: Direction
  /** Name of the listener that took it. */
  readonly listener: string
  /** Of the client, a socket or a tunnel's stream; may hold bytes that were put back. */
  readonly stream: Duplex
  readonly facts: ConnectionFacts
  /** Undefined: plaintext, or TLS of the application's own. */
  readonly peer: VerifiedPeer | undefined
  /** `ip:port` */
  readonly source: string
  readonly destination: string
  readonly parties: Parties
  readonly openedAt: Date
}
