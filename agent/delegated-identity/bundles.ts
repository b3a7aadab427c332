/** All bundles that the agent holds, for a delegate: its own trust domain's and every one that some entry federates with. */
import type { Bundle } from '../../spiffe/bundle.ts'
import { trustDomainId } from '../../spiffe/id.ts'
import type { WorkloadCache } from '../cache/workload-cache.ts'

export type BundlesById = Readonly<Record<string, Buffer>>

/** By the SPIFFE ID of the trust domain. */
export function bundlesById(
  cache: Pick<WorkloadCache, 'knowledge'>,
  encode: (bundle: Bundle) => Buffer,
): BundlesById {
  const { bundle, federated } = cache.knowledge()
  return Object.fromEntries(
    [bundle, ...federated.values()].map((one) => [trustDomainId(one.trustDomain), encode(one)]),
  )
}

export function isSameBundles(a: BundlesById, b: BundlesById): boolean {
  const ids = Object.keys(a)
  return (
    ids.length === Object.keys(b).length &&
    ids.every((id) => b[id] !== undefined && a[id]?.equals(b[id]) === true)
  )
}

/** DER, one authority behind the other. */
export function x509BundleOf({ x509Authorities }: Bundle): Buffer {
  return Buffer.concat(x509Authorities.map(({ der }) => der))
}
