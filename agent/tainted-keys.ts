/** Which authorities of a bundle must be rotated away from. */
import type { Bundle } from '../spiffe/bundle.ts'
import { authorityIdOf } from '../spiffe/x509/key-id.ts'

const NONE: ReadonlySet<string> = new Set()
const known = new WeakMap<Bundle, ReadonlySet<string>>()

/** Subject key IDs of the tainted X.509 authorities, lower-case hex; computed once for each bundle. */
export function taintedKeyIds(bundle: Bundle): ReadonlySet<string> {
  let ids = known.get(bundle)
  if (ids === undefined) {
    const tainted = bundle.x509Authorities.filter((authority) => authority.tainted)
    ids = tainted.length === 0 ? NONE : new Set(tainted.map(({ der }) => authorityIdOf(der)))
    known.set(bundle, ids)
  }
  return ids
}
