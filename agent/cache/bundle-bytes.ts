/** Bundles as the APIs of the agent send them. The very same bytes for the very same bundle, however many streams they wait on. */
import { formatJwks } from '../../spiffe/bundle/jwks.ts'
import type { Bundle } from '../../spiffe/bundle.ts'

/** By the SPIFFE ID of the trust domain. */
export type BundlesById = Readonly<Record<string, Buffer>>

export function isSameBundlesById(a: BundlesById, b: BundlesById): boolean {
  const ids = Object.keys(a)
  return (
    ids.length === Object.keys(b).length &&
    ids.every((id) => b[id] !== undefined && a[id]?.equals(b[id]) === true)
  )
}

/** All authorities, DER, one behind the other. @see Workload-API §5.2 — X.509-SVID profile */
export const x509BundleOf = perBundle(({ x509Authorities }) =>
  Buffer.concat(x509Authorities.map(({ der }) => der)),
)

/** A JWK Set. @see Workload-API §6.2 — JWT-SVID profile */
export const jwksOf = perBundle((bundle) => Buffer.from(formatJwks(bundle)))

/** Kept for as long as the bundle itself is, and no longer. */
function perBundle(encode: (bundle: Bundle) => Buffer): (bundle: Bundle) => Buffer {
  const encoded = new WeakMap<Bundle, Buffer>()
  return (bundle) => {
    const bytes = encoded.get(bundle) ?? encode(bundle)
    encoded.set(bundle, bytes)
    return bytes
  }
}
