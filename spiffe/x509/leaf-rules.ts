/**
 * What the certificate of an X509-SVID must be by itself, whoever signed it. Passing proves nothing yet.
 *
 * @see X509-SVID §5.2 — leaf validation
 */
import { IdentityError, reasonOf } from '../error.ts'
import { parseSpiffeId, pathOf, type SpiffeId } from '../id.ts'
import type { Certificate } from './certificate.ts'

/** @throws IdentityError CERTIFICATE_UNTRUSTED naming the first rule that is broken */
export function idOfLeaf(leaf: Certificate): SpiffeId {
  const [uri, ...others] = leaf.uriSans
  if (uri === undefined) throw untrusted('certificate contains no URI SAN, expected a SPIFFE ID')
  if (others.length > 0) {
    throw untrusted(`certificate contains ${others.length + 1} URI SANs, expected exactly one`)
  }
  const id = parseId(uri)
  if (pathOf(id) === '') {
    throw untrusted(`leaf certificate of ${id} names a trust domain, expected an ID with a path`)
  }
  if (leaf.isCa) throw untrusted(`leaf certificate of ${id} has the CA flag set`)
  const { keyUsage } = leaf
  if (keyUsage === undefined || !leaf.isKeyUsageCritical) {
    throw untrusted(`leaf certificate of ${id} has no critical key usage`)
  }
  for (const forbidden of ['keyCertSign', 'cRLSign'] as const) {
    if (keyUsage.has(forbidden)) {
      throw untrusted(`leaf certificate of ${id} has the key usage ${forbidden}`)
    }
  }
  if (!keyUsage.has('digitalSignature')) {
    throw untrusted(`leaf certificate of ${id} lacks the key usage digitalSignature`)
  }
  return id
}

export function untrusted(why: string, cause?: unknown): IdentityError {
  return new IdentityError('CERTIFICATE_UNTRUSTED', why, { cause })
}

function parseId(uri: string): SpiffeId {
  try {
    return parseSpiffeId(uri)
  } catch (cause) {
    throw untrusted(`certificate has a malformed URI SAN: ${reasonOf(cause)}`, cause)
  }
}
