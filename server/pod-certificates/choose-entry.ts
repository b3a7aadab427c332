/**
 * Which of the entries that match a pod its certificate is for. A file holds one identity where a stream holds several:
 * it is the default one of the Workload API, unless the pod's author asks for another of those by hint or by ID. Asking
 * never gives more than what matches.
 */
import { isSatisfied, type Selector } from '../../spiffe/selector.ts'
import type { Entry } from '../entries/entry.ts'

export interface Wish {
  readonly hint: string | undefined
  readonly spiffeId: string | undefined
}

export type WishRead =
  | { readonly kind: 'wish'; readonly wish: Wish }
  | { readonly kind: 'unknown'; readonly key: string }

/** The annotations that are understood, under the domain of the signer: `example.org/hint`. */
export function wishKeys(signerName: string): { readonly hint: string; readonly spiffeId: string } {
  const domain = signerName.slice(0, signerName.indexOf('/'))
  return { hint: `${domain}/hint`, spiffeId: `${domain}/spiffe-id` }
}

/** Fails closed: a key that is not understood may have been meant to restrict. */
export function readWish(
  signerName: string,
  annotations: Readonly<Record<string, string>>,
): WishRead {
  const keys = wishKeys(signerName)
  const unknown = Object.keys(annotations).find((key) => key !== keys.hint && key !== keys.spiffeId)
  if (unknown !== undefined) return { kind: 'unknown', key: unknown }
  const wish = { hint: annotations[keys.hint], spiffeId: annotations[keys.spiffeId] }
  return { kind: 'wish', wish }
}

/**
 * @param entries those that an agent on the pod's node may serve
 * @returns undefined when none matches; entries whose SVIDs are stored elsewhere never do
 */
export function chooseEntry(
  entries: readonly Entry[],
  selectors: ReadonlySet<Selector>,
  { hint, spiffeId }: Wish,
): Entry | undefined {
  const matching = entries
    .filter((entry) => !entry.storeSvid && isSatisfied(entry.selectors, selectors))
    .filter((entry) => spiffeId === undefined || entry.spiffeId === spiffeId)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
  if (hint === undefined) return matching.find((entry) => isServed(entry, matching))
  return matching.find((entry) => entry.hint === hint && isServed(entry, matching))
}

/** Of several with the same hint a workload is served the oldest, and so is a pod. */
function isServed(entry: Entry, matching: readonly Entry[]): boolean {
  if (entry.hint === '') return true
  const rivals = matching.filter(({ hint }) => hint === entry.hint)
  return rivals.every((rival) => entry === rival || isOlder(entry, rival))
}

function isOlder(a: Entry, b: Entry): boolean {
  return (
    a.createdAt.getTime() - b.createdAt.getTime() < 0 ||
    (a.createdAt.getTime() === b.createdAt.getTime() && a.id < b.id)
  )
}
