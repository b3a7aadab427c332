/**
 * Which registration entry allows an identity, where the configuration asks for one: an entry of exactly this SPIFFE ID
 * all of whose selectors are true of the pod. Of whose agents it is a child does not matter here, for no agent asks.
 */
import type { ServiceAccountName } from '../../../kubernetes/review-token.ts'
import type { SpiffeId } from '../../../spiffe/id.ts'
import { isSatisfied, type Selector, selector } from '../../../spiffe/selector.ts'
import type { Entry } from '../../entries/entry.ts'
import type { EntryIndex } from '../../entries/entry-index.ts'
import { podSelectors } from '../../pod-certificates/find-pod.ts'
import type { NodePod } from './node-pods.ts'

/**
 * A service account of thousands of pods has an entry for each of them, so all of them are looked at, in memory.
 * @param pod undefined: only namespace and service account are known
 * @returns undefined: none allows it
 * @throws IdentityError UNAVAILABLE while entries are being loaded
 */
export function findEntry(
  index: Pick<EntryIndex, 'ofSpiffeId'>,
  id: SpiffeId,
  account: ServiceAccountName,
  pod: NodePod | undefined,
): Entry | undefined {
  const present = selectorsOf(account, pod)
  for (const entry of index.ofSpiffeId(id)) {
    // Fails closed: what is kept for storing SVIDs elsewhere is for no proxy.
    if (!entry.storeSvid && isSatisfied(entry.selectors, present)) return entry
  }
  return undefined
}

function selectorsOf(
  { namespace, name }: ServiceAccountName,
  pod: NodePod | undefined,
): ReadonlySet<Selector> {
  if (pod === undefined) {
    return new Set([selector('k8s', `ns:${namespace}`), selector('k8s', `sa:${name}`)])
  }
  const { meta, serviceAccount, node } = pod
  return podSelectors({ pod: meta, serviceAccount, meta, node: { name: node } }, meta)
}
