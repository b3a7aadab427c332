/** The part that the streams of X.509 bundles and of JWT bundles have in common: who may have which, and when. */
import type { Bundle } from '../../spiffe/bundle.ts'
import { trustDomainId } from '../../spiffe/id.ts'
import { type BundlesById, isSameBundlesById } from '../cache/bundle-bytes.ts'
import { type AnswerDeps, noIdentity, requireAlive, type Workload } from './workload.ts'

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
    if (sent !== undefined && isSameBundlesById(sent, bundles)) continue
    await send(bundles)
    sent = bundles
  }
}
