/**
 * Rewrites principals and trust domains of policies for a mesh whose trust domain has, or had, other names.
 * `cluster.local` in a principal means our own trust domain, whatever its name.
 */
import type { TrustDomain } from '../spiffe/id.ts'

const LOCAL = 'cluster.local'

/** Every name of our trust domain, the current one first. */
export type OwnNames = readonly TrustDomain[]

/** A principal of ours in all of our names; any other as it was written. */
export function expandPrincipals(own: OwnNames, values: readonly string[]): readonly string[] {
  return [...new Set(values.flatMap((value) => expandPrincipal(own, value)))]
}

function expandPrincipal(own: OwnNames, value: string): readonly string[] {
  const [domain = '', ...path] = value.split('/')
  const isOurs = own.some((name) => matchesDomain(name, domain)) || domain === LOCAL
  // Only `<domain>/ns/…/sa/…` has a trust domain to speak of, and `*` is any of them already.
  if (path.length !== 4 || domain === '*' || !isOurs) return [value]
  return own.map((name) => (endsLike(name, domain) ? value : [name, ...path].join('/')))
}

/** A listed name of ours stands for all of them. */
export function expandTrustDomains(own: OwnNames, values: readonly string[]): readonly string[] {
  const expanded = values.flatMap((value): readonly string[] =>
    own.some((name) => name === value) ? own : [value],
  )
  return [...new Set(expanded)]
}

const matchesDomain = (name: string, written: string): boolean =>
  name === written ||
  endsLike(name, written) ||
  (written.endsWith('*') && name.startsWith(written.slice(0, -1)))

const endsLike = (name: string, written: string): boolean =>
  written.startsWith('*') && name.endsWith(written.slice(1))
