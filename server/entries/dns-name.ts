/**
 * DNS names that may become SANs of an SVID: ASCII labels of letters, digits, hyphens and
 * underscores, and at most one wildcard, which must be the whole first label. SPIRE lets some other
 * characters through (blanks, slashes); those are refused here, as no client would match them.
 *
 * @see RFC 5890 §2.3 — labels; RFC 6125 §6.4.3 — wildcards
 */
import { domainToASCII, domainToUnicode } from 'node:url'
import { IdentityError } from '../../spiffe/error.ts'

const MAX_NAME_BYTES = 253
const MAX_LABEL_BYTES = 63
const LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?$/
const PUNYCODE = /^xn--/i

/** @throws IdentityError ENTRY_INVALID saying what is wrong */
export function checkDnsName(name: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the question is whether it is ASCII
  if (!/^[\x00-\x7f]*$/.test(name)) throw refusal('name must be ascii')
  const stars = name.split('*').length - 1
  if (stars > 1) throw refusal('too many wildcards')
  if (stars === 1 && !name.startsWith('*.')) throw refusal('wildcard must be first label')
  const rest = stars === 1 ? name.slice(2) : name
  if (rest.trim() === '') throw refusal('empty or only whitespace')
  if (rest.endsWith('.')) throw refusal('domain ends with dot')
  if (rest.length > MAX_NAME_BYTES) {
    throw refusal(`idna error: the name is longer than ${MAX_NAME_BYTES} bytes`)
  }
  for (const label of rest.split('.')) {
    if (!isLabel(label)) throw refusal(`idna error: invalid label ${JSON.stringify(label)}`)
  }
}

function isLabel(label: string): boolean {
  if (label.length > MAX_LABEL_BYTES || !LABEL.test(label)) return false
  if (PUNYCODE.test(label)) return isPunycode(label.toLowerCase())
  return label.slice(2, 4) !== '--'
}

/** Whether it stands for a name beyond ASCII, and is how that name is written. */
function isPunycode(label: string): boolean {
  const unicode = domainToUnicode(label)
  return unicode !== '' && unicode !== label && domainToASCII(unicode) === label
}

function refusal(why: string): IdentityError {
  return new IdentityError('ENTRY_INVALID', why)
}
