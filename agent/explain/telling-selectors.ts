/** Of all that is known of a process, the few selectors by which an operator would register it, and an ID to go with them. */
import { type SpiffeId, spiffeId, type TrustDomain } from '../../spiffe/id.ts'
import type { Selector } from '../../spiffe/selector.ts'

/** Groups by beginnings; the first group of which a process has all is what tells it. */
const TELLING: readonly (readonly string[])[] = [
  ['k8s:ns:', 'k8s:sa:'],
  ['docker:image_config_digest:'],
  ['docker:image_id:'],
  ['systemd:id:'],
  ['unix:uid:', 'unix:path:'],
  ['unix:uid:'],
]

/** @returns none when nothing is known of the process */
export function tellingSelectors(present: ReadonlySet<Selector>): readonly Selector[] {
  const all = [...present]
  const firstOf = (beginning: string) => all.find((one) => one.startsWith(beginning)) ?? []
  for (const group of TELLING) {
    const found = group.flatMap(firstOf)
    if (found.length === group.length) return found
  }
  return all.slice(0, 1)
}

/** A path must be made of letters, digits, dots, dashes and underscores. */
const SEGMENT = /[^A-Za-z0-9._-]+/g

/** `/ns/shop/sa/cart` for a pod, else the program or the user; a proposal that an operator may change. */
export function proposeId(trustDomain: TrustDomain, present: ReadonlySet<Selector>): SpiffeId {
  const valueAfter = (beginning: string) =>
    [...present].find((one) => one.startsWith(beginning))?.slice(beginning.length)
  const [ns, sa] = [valueAfter('k8s:ns:'), valueAfter('k8s:sa:')]
  if (ns !== undefined && sa !== undefined) {
    return spiffeId(trustDomain, `/ns/${toSegment(ns)}/sa/${toSegment(sa)}`)
  }
  const name = valueAfter('unix:path:')?.split('/').at(-1) ?? valueAfter('unix:user:') ?? 'workload'
  return spiffeId(trustDomain, `/workload/${toSegment(name)}`)
}

function toSegment(text: string): string {
  const plain = text.replace(SEGMENT, '-')
  return plain === '' || plain === '.' || plain === '..' ? 'workload' : plain
}
