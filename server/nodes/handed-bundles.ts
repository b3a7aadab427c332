/**
 * Who was last handed which bundle of our own trust domain, and when: what a rotation waits for. It is in memory; after
 * a restart nobody was handed anything, until they ask again, which agents do all the time.
 */
import type { Bundle } from '../../spiffe/bundle.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { SpiffeId } from '../../spiffe/id.ts'

/** What is known of the certificate that a caller came with. */
export interface SeenSvid {
  readonly id: SpiffeId
  /** Decimal. */
  readonly serialNumber: string
  readonly expiresAt: Date
  /** The key that signed it, as the certificate names it. */
  readonly authorityId?: string | undefined
}

export interface Handed {
  readonly bundle: Bundle
  readonly at: Date
}

export interface HandedBundles {
  note(to: SeenSvid, bundle: Bundle): void
  /** Undefined: nothing, as far as is known. */
  lastOf(id: SpiffeId): Handed | undefined
  all(): Iterable<readonly [SpiffeId, Handed]>
}

/** Agents and downstream servers. Of more than these, whoever has not asked for longest is forgotten: it then counts as behind. */
const MAX_CALLERS = 50_000

/** @param onSeen told of each caller's certificate: who asks shows which SVID is in use */
export function createHandedBundles(
  clock: Clock,
  onSeen: (svid: SeenSvid) => unknown = () => {},
): HandedBundles {
  const last = new Map<SpiffeId, Handed>()
  return {
    note(svid, bundle) {
      const { id } = svid
      onSeen(svid)
      last.delete(id)
      last.set(id, { bundle, at: clock.now() })
      if (last.size <= MAX_CALLERS) return
      for (const oldest of last.keys()) {
        last.delete(oldest)
        break
      }
    },
    lastOf: (id) => last.get(id),
    all: () => last,
  }
}
