/** Where authorities are published before they sign: the bundle that the store holds and everybody is given. */
import type { Bundle } from '../../spiffe/bundle.ts'

/** The server's own bundle, as committed. */
export interface Publication {
  current(): Bundle
  /** Resolves when the change is committed and `current()` has it. */
  update(change: (bundle: Bundle) => Bundle): Promise<unknown>
}
