/** The part that the streams of X.509 bundles and of JWT bundles have in common: who may have which, and when. */
import type { Bundle } from '../../spiffe/bundle.ts'
import { trustDomainId } from '../../spiffe/id.ts'
import { type AnswerDeps, noIdentity, requireAlive, type Workload } from './workload.ts'

export type BundlesById = Readonly<Record<string, Buffer>>

/**
 * Sends the own bundle and, to a workload with an identity, those that its entries federate with; again whenever the
 * encoded answer has changed.
 * @throws IdentityError NO_IDENTITY_ISSUED for a caller without identity, unless verifiers need none
 */
export async function sendBundles(
  { source, allowUnauthenticatedVerifiers, whyNone }: AnswerDeps,
  workload: Workload,
  encode: (bundle: Bundle) => Buffer,
  send: (bundles: BundlesById) => Promise<void>,
): Promise<void> {
  let sent: BundlesById | undefined
  for await (const update of source.watchBundles(workload.selectors, workload.signal)) {
    if (!update.hasIdentity && !allowUnauthenticatedVerifiers) throw noIdentity(whyNone?.(workload))
    requireAlive(workload)
    const allowed = update.hasIdentity
      ? [update.bundle, ...update.federatedBundles]
      : [update.bundle]
    const bundles = Object.fromEntries(
      allowed.map((bundle) => [trustDomainId(bundle.trustDomain), encode(bundle)]),
    )
    if (sent !== undefined && areEqual(sent, bundles)) continue
    await send(bundles)
    sent = bundles
  }
}

/** The very same bytes for the very same bundle, however many streams they wait on. */
export function perBundle(encode: (bundle: Bundle) => Buffer): (bundle: Bundle) => Buffer {
  const encoded = new WeakMap<Bundle, Buffer>()
  return (bundle) => {
    const bytes = encoded.get(bundle) ?? encode(bundle)
    encoded.set(bundle, bytes)
    return bytes
  }
}

function areEqual(a: BundlesById, b: BundlesById): boolean {
  const ids = Object.keys(a)
  return (
    ids.length === Object.keys(b).length &&
    ids.every((id) => b[id] !== undefined && a[id]?.equals(b[id]) === true)
  )
}
