/** Bundles that an operator hands over, checked before they go to the server, which checks them again. */
import type { BundleInput } from '../../../proto/gen/spire/api/types/Bundle.ts'
import { toWireBundle } from '../../../proto/wire.ts'
import { parseBundleDocument } from '../../../spiffe/bundle/jwks.ts'
import { IdentityError, reasonOf } from '../../../spiffe/error.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { fromPem } from '../../../spiffe/x509/pem.ts'
import type { BundleFormat } from '../../output/bundle-text.ts'
import { quote } from '../../output/go-quote.ts'

/** A document does not say whose it is: the name given is put in its place. */
const UNNAMED = parseTrustDomain('unnamed')

/**
 * @param trustDomain as the operator wrote it: the server says what is wrong with it
 * @throws IdentityError BUNDLE_MALFORMED
 */
export function readBundle(text: string, format: BundleFormat, trustDomain: string): BundleInput {
  switch (format) {
    case 'pem':
      return { trust_domain: trustDomain, x509_authorities: readPem(text) }
    case 'spiffe':
      return { ...readDocument(text), trust_domain: trustDomain }
  }
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,64})-----/

function readPem(text: string): { asn1: Buffer }[] {
  const first = BLOCK.exec(text)?.[1]
  if (first === undefined) throw malformed('unable to parse bundle data: no PEM blocks')
  if (first !== 'CERTIFICATE') {
    const what = `expected block type "CERTIFICATE"; got ${quote(first)}`
    throw malformed(`unable to parse bundle data: ${what}`)
  }
  return attempt('unable to parse bundle data', () =>
    fromPem('CERTIFICATE', text).map((asn1) => ({ asn1 })),
  )
}

function readDocument(text: string): BundleInput {
  return attempt('unable to parse to spiffe bundle', () =>
    toWireBundle(parseBundleDocument(text, UNNAMED)),
  )
}

function attempt<T>(what: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof IdentityError)) throw cause
    throw malformed(`${what}: ${reasonOf(cause)}`, cause)
  }
}

function malformed(message: string, cause?: unknown): IdentityError {
  return new IdentityError('BUNDLE_MALFORMED', message, cause === undefined ? {} : { cause })
}
