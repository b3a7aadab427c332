/** All bundles that the agent holds, for a delegate: its own trust domain's and every one that some entry federates with. */
import type { Bundle } from '../../spiffe/bundle.ts'
import { trustDomainId } from '../../spiffe/id.ts'
import type { BundlesById } from '../cache/bundle-bytes.ts'
import type { WorkloadCache } from '../cache/workload-cache.ts'

export function bundlesById(
  cache: Pick<WorkloadCache, 'knowledge'>,
  encode: (bundle: Bundle) => Buffer,
): BundlesById {
  const { bundle, federated } = cache.knowledge()
  return Object.fromEntries(
    [bundle, ...federated.values()].map((one) => [trustDomainId(one.trustDomain), encode(one)]),
  )
}
