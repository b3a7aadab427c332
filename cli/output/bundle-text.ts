/** Bundles for people and files: the X.509 authorities as PEM, or everything as a SPIFFE bundle document. */
import type { Bundle } from '../../proto/gen/spire/api/types/Bundle.ts'
import { fromWireBundle } from '../../proto/wire.ts'
import { formatBundleDocument } from '../../spiffe/bundle/jwks.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { toPemChain } from '../../spiffe/x509/pem.ts'
import { quote } from './go-quote.ts'

export type BundleFormat = 'pem' | 'spiffe'

/** @throws IdentityError REQUEST_INVALID for a format that is none */
export function bundleText(bundle: Bundle, format: string): string {
  switch (readBundleFormat(format)) {
    case 'pem':
      return toPemChain(bundle.x509_authorities.map(({ asn1 }) => asn1))
    case 'spiffe':
      return `${formatBundleDocument(fromWireBundle(bundle))}\n`
  }
}

/** @throws IdentityError REQUEST_INVALID */
export function readBundleFormat(word: string): BundleFormat {
  const format = word.toLowerCase()
  if (format === 'pem' || format === 'spiffe') return format
  throw new IdentityError('REQUEST_INVALID', `invalid format: ${quote(word)}`)
}
