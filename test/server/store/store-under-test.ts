/** What the contract of the store hands to each of its tests. */
import type { Store } from '../../../server/store/store.ts'

export interface StoreUnderTest {
  readonly store: Store
  /** Sets the time; it starts at `START`. */
  setNow(now: Date): void
}

export const START = new Date('2030-01-01T00:00:00Z')
