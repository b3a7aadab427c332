/** Fetches the bundles of the trust domains that entries federate with. One that fails does not hold up the others. */
import type { BundleClient } from '../../proto/gen/spire/api/server/bundle/v1/Bundle.ts'
import type { Bundle as WireBundle } from '../../proto/gen/spire/api/types/Bundle.ts'
import { fromWireBundle } from '../../proto/wire.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import type { FederatedBundles } from '../cache/knowledge.ts'
import { type CallLimits, callUnary } from '../node/call.ts'

export interface FederatedOptions {
  readonly client: BundleClient
  readonly wanted: Iterable<TrustDomain>
  /** Kept where the server cannot be asked; dropped where it says that there is none. */
  readonly known: FederatedBundles
  readonly limits: CallLimits
  onFailure(error: unknown, trustDomain: TrustDomain): void
}

/** SPIRE's. */
const PARALLEL_CALLS = 10

export async function fetchFederated(options: FederatedOptions): Promise<FederatedBundles> {
  const bundles = new Map<TrustDomain, Bundle>()
  const queue = [...options.wanted]
  const work = async () => {
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const bundle = await fetchOne(options, next)
      if (bundle !== undefined) bundles.set(next, bundle)
    }
  }
  await Promise.all(Array.from({ length: Math.min(PARALLEL_CALLS, queue.length) }, work))
  return bundles
}

async function fetchOne(
  { client, known, limits, onFailure }: FederatedOptions,
  trustDomain: TrustDomain,
): Promise<Bundle | undefined> {
  try {
    const wire = await callUnary<WireBundle>(
      (done) => client.GetFederatedBundle({ trust_domain: trustDomain }, done),
      limits,
    )
    const bundle = fromWireBundle(wire)
    if (bundle.trustDomain === trustDomain) return bundle
    // Fails closed: a bundle is never filed under another trust domain's name.
    const why = `the server sent the bundle of ${bundle.trustDomain}, expected ${trustDomain}`
    throw new IdentityError('BUNDLE_MALFORMED', why)
  } catch (error) {
    if (error instanceof IdentityError && error.code === 'NOT_FOUND') return undefined
    onFailure(error, trustDomain)
    return known.get(trustDomain)
  }
}
