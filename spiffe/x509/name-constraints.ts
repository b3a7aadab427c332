/**
 * Name constraints of CA certificates, as far as SVIDs have names: URIs and DNS names. A constraint on a form of
 * name that is not understood, or a value that can be read in two ways, refuses.
 *
 * @see RFC 5280 §4.2.1.10
 */
import type { Certificate } from './certificate.ts'
import { childrenOf, type Element, malformed, readOnly, TAG, walk } from './der.ts'
import { asciiText, NAME_FORM } from './general-names.ts'

interface Subtree {
  readonly form: number
  /** Lower case; empty for a form that has no text here. */
  readonly base: string
}

interface Constraints {
  readonly permitted: readonly Subtree[]
  readonly excluded: readonly Subtree[]
}

const PERMITTED = 0xa0
const EXCLUDED = 0xa1
const SPIFFE_HOST = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i
const IP_LIKE = /^\d+\.\d+\.\d+\.\d+$|[:[\]]/

/**
 * @param extension DER of the extension
 * @returns why the names of `below` are not allowed, or undefined when they are
 * @throws IdentityError CERTIFICATE_MALFORMED
 */
export function wrongWithNames(extension: Uint8Array, below: Certificate): string | undefined {
  const { permitted, excluded } = parseConstraints(extension)
  const subtrees = [...permitted, ...excluded]
  const unknown = subtrees.find(
    ({ form }) => form !== NAME_FORM.uri && form !== NAME_FORM.dns && form !== NAME_FORM.ip,
  )
  if (unknown !== undefined) return 'name constraints of a kind that is not supported'
  // Addresses are no names of an SVID; a certificate that has them all the same is refused, not matched.
  if (subtrees.some(({ form }) => form === NAME_FORM.ip) && below.nameForms.has(NAME_FORM.ip)) {
    return 'name constraints on IP addresses, and a certificate below has one'
  }
  return (
    wrongWithForm(NAME_FORM.uri, below.uriSans, permitted, excluded) ??
    wrongWithForm(NAME_FORM.dns, below.dnsNames, permitted, excluded)
  )
}

function wrongWithForm(
  form: number,
  names: readonly string[],
  permitted: readonly Subtree[],
  excluded: readonly Subtree[],
): string | undefined {
  const allow = permitted.filter((subtree) => subtree.form === form)
  const deny = excluded.filter((subtree) => subtree.form === form)
  if (allow.length + deny.length === 0) return undefined
  for (const name of names) {
    const host = form === NAME_FORM.uri ? hostOf(name) : name.toLowerCase()
    if (host === undefined) return `name constraints that cannot be applied to ${name}`
    if (deny.some(({ base }) => isExcluded(host, base))) return `name constraints exclude ${name}`
    const isAllowed = allow.length === 0 || allow.some(({ base }) => isWithin(host, base, form))
    if (!isAllowed) return `name constraints do not permit ${name}`
  }
  return undefined
}

/** RFC 5280: a URI constraint is one host, or with a leading dot all hosts below; a DNS constraint is both. */
function isWithin(host: string, base: string, form: number): boolean {
  if (base === '') return true
  if (base.startsWith('.')) return host.endsWith(base)
  return host === base || (form === NAME_FORM.dns && host.endsWith(`.${base}`))
}

/** The widest reading, hosts below and wildcards above included: what might be excluded is. */
function isExcluded(host: string, base: string): boolean {
  const bare = base.replace(/^\./, '')
  if (bare === '' || host === bare || host.endsWith(`.${bare}`)) return true
  return host.startsWith('*.') && bare.endsWith(host.slice(1))
}

/** RFC 5280: a URI whose host is no domain name must be refused where URIs are constrained. */
function hostOf(uri: string): string | undefined {
  const host = SPIFFE_HOST.exec(uri)?.[1]?.toLowerCase()
  return host === undefined || host === '' || IP_LIKE.test(host) ? undefined : host
}

function parseConstraints(extension: Uint8Array): Constraints {
  const fields = walk(readOnly(extension, TAG.sequence))
  const permitted = fields.maybe(PERMITTED)
  const excluded = fields.maybe(EXCLUDED)
  fields.end()
  return {
    permitted: permitted === undefined ? [] : childrenOf(permitted).map(parseSubtree),
    excluded: excluded === undefined ? [] : childrenOf(excluded).map(parseSubtree),
  }
}

function parseSubtree(subtree: Element): Subtree {
  // minimum and maximum have only their defaults in RFC 5280
  const [name, ...bounds] = childrenOf(subtree)
  if (name === undefined || bounds.length > 0) throw malformed('it has a bad name constraint')
  const isText = name.tag === NAME_FORM.uri || name.tag === NAME_FORM.dns
  return { form: name.tag, base: isText ? asciiText(name.value).toLowerCase() : '' }
}
