/**
 * Which registration entry allows an identity, where the configuration asks for one: an entry of exactly this SPIFFE ID
 * all of whose selectors are true of the pod. Of whose agents it is a child does not matter here, for no agent asks.
 */
import type { ServiceAccountName } from '../../../kubernetes/review-token.ts'
import type { SpiffeId } from '../../../spiffe/id.ts'
import { isSatisfied, type Selector, selector } from '../../../spiffe/selector.ts'
import type { Entry } from '../../entries/entry.ts'
import { podSelectors } from '../../pod-certificates/find-pod.ts'
import type { EntryStore } from '../../store/store.ts'
import type { NodePod } from './node-pods.ts'

/** Entries of one SPIFFE ID that are looked at; more are hardly meant. */
const MAX_ENTRIES = 1_000

/** @param pod undefined: only namespace and service account are known @returns undefined: none allows it */
export async function findEntry(
  entries: Pick<EntryStore, 'list'>,
  id: SpiffeId,
  account: ServiceAccountName,
  pod: NodePod | undefined,
): Promise<Entry | undefined> {
  const { items } = await entries.list({ spiffeId: id }, { size: MAX_ENTRIES, token: '' })
  const present = selectorsOf(account, pod)
  // Fails closed: what is kept for storing SVIDs elsewhere is for no proxy.
  return items.find((entry) => !entry.storeSvid && isSatisfied(entry.selectors, present))
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
