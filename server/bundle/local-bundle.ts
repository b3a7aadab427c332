/**
 * The bundle of the server's own trust domain, kept in memory as it was last committed. Nobody sees a
 * change here before it is in the store, and nobody sees an older bundle after a newer one.
 */
import { type Bundle, emptyBundle } from '../../spiffe/bundle.ts'
import type { TrustDomain } from '../../spiffe/id.ts'

/** The part of the store that keeps bundles. */
export interface BundleSource {
  find(trustDomain: TrustDomain): Promise<Bundle | undefined>
  update(
    trustDomain: TrustDomain,
    change: (current: Bundle | undefined) => Bundle | undefined,
  ): Promise<Bundle | undefined>
}

export interface LocalBundle {
  /** The same object until it changes. */
  current(): Bundle
  /**
   * Commits what `change` makes of the bundle in the store, or nothing when that is the same object.
   * `change` must be pure, and add to the sequence number. @returns what is in the store afterwards
   */
  update(change: (bundle: Bundle) => Bundle): Promise<Bundle>
  /** Reads what others may have written. */
  refresh(): Promise<void>
  /**
   * The store may have gone back, to a restored backup or a standby that lacked the last writes: what is read from now on
   * counts, whatever its number. Otherwise a revocation written since would be taken for old.
   */
  doubt(): void
  /** Calls `listener` with every newer bundle. It must not throw. @returns how to stop listening */
  onChange(listener: (bundle: Bundle) => void): () => void
}

export async function openLocalBundle(
  store: BundleSource,
  trustDomain: TrustDomain,
): Promise<LocalBundle> {
  let current = (await store.find(trustDomain)) ?? emptyBundle(trustDomain)
  const listeners = new Set<(bundle: Bundle) => void>()
  /** How often the store was doubted, and how many of these doubts an answer has settled. */
  let doubts = 0
  let settled = 0

  /** @param asked what `doubts` was when the store was asked */
  const adopt = (stored: Bundle | undefined, asked: number) => {
    if (stored === undefined || asked < settled) return
    // Answers may overtake each other: an older one is of no interest any more.
    if (asked === settled && stored.sequenceNumber <= current.sequenceNumber) return
    settled = asked
    current = stored
    for (const listener of listeners) listener(stored)
  }

  return {
    current: () => current,
    async update(change) {
      const asked = doubts
      const empty = emptyBundle(trustDomain)
      const stored = await store.update(trustDomain, (present) => {
        const next = change(present ?? empty)
        return next === empty ? undefined : next
      })
      adopt(stored, asked)
      return stored ?? empty
    },
    async refresh() {
      const asked = doubts
      adopt(await store.find(trustDomain), asked)
    },
    doubt() {
      doubts += 1
    },
    onChange(listener) {
      const entry = (bundle: Bundle) => listener(bundle)
      listeners.add(entry)
      return () => listeners.delete(entry)
    },
  }
}
