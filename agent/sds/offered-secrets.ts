/**
 * Which secrets there are for a workload, and by which names: its identities, the own bundle, and of other trust domains'
 * bundles those that its entries federate with. Nothing else has a name.
 *
 * @see SPIRE API §9 — resource names
 */
import type { Bundle } from '../../spiffe/bundle.ts'
import { trustDomainId } from '../../spiffe/id.ts'
import type { WorkloadUpdate, X509Identity } from '../cache/identity.ts'
import type { SdsSettings } from './settings.ts'

/** A workload of an agent holds these and no others. */
export type OfferedSecret =
  | { readonly kind: 'svid'; readonly name: string; readonly identity: X509Identity }
  | { readonly kind: 'bundle'; readonly name: string; readonly bundle: Bundle }
  /** Several trust domains in one: only Envoy's SPIFFE validator keeps them apart. */
  | { readonly kind: 'bundles'; readonly name: string; readonly bundles: readonly Bundle[] }

export interface Choice {
  readonly secrets: readonly OfferedSecret[]
  /** Names that stand for nothing that the workload may have, in order. */
  readonly unknown: readonly string[]
}

/** Every secret by its own ID: what is meant by no name at all. Bundles first, then SVIDs in entry-ID order. */
export function everySecret(update: WorkloadUpdate): readonly OfferedSecret[] {
  const { bundle, federatedBundles, identities } = update
  return [
    ...[bundle, ...federatedBundles].map(bundleSecret),
    ...identities.map((identity) => svidSecret(identity.id, identity)),
  ]
}

/** A name that two secrets could have stands for the first. */
export function chooseSecrets(
  update: WorkloadUpdate,
  names: ReadonlySet<string>,
  settings: SdsSettings,
): Choice {
  const { bundle, federatedBundles, identities } = update
  const [first, ...others] = identities
  const { defaultSvidName, defaultBundleName, defaultAllBundlesName } = settings
  const offered: readonly OfferedSecret[] = [
    bundleSecret(bundle),
    { kind: 'bundle', name: defaultBundleName, bundle },
    { kind: 'bundles', name: defaultAllBundlesName, bundles: allBundles(update) },
    ...federatedBundles.map(bundleSecret),
    ...(first === undefined ? [] : [svidSecret(first.id, first)]),
    ...(first === undefined ? [] : [svidSecret(defaultSvidName, first)]),
    ...others.map((identity) => svidSecret(identity.id, identity)),
  ]
  const left = new Set(names)
  const secrets = offered.filter(({ name }) => left.delete(name))
  return { secrets, unknown: [...left].sort() }
}

function bundleSecret(bundle: Bundle): OfferedSecret {
  return { kind: 'bundle', name: trustDomainId(bundle.trustDomain), bundle }
}

function svidSecret(name: string, identity: X509Identity): OfferedSecret {
  return { kind: 'svid', name, identity }
}

/** In the order of their trust domains. */
function allBundles({ bundle, federatedBundles }: WorkloadUpdate): readonly Bundle[] {
  return [bundle, ...federatedBundles].sort((a, b) => (a.trustDomain < b.trustDomain ? -1 : 1))
}
