/**
 * A certificate of the Web with its chain and key, as a CA or a file gave it: judged before it is shown or kept.
 * Whether the world trusts its issuer is the world's business; that it is for us is ours.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import type { CertificateAndKey } from '../disk/certificate-files.ts'
import { IdentityError, reasonOf } from '../spiffe/error.ts'
import { fromPem, toPemChain } from '../spiffe/x509/pem.ts'

export interface WebCertificate {
  readonly shown: CertificateAndKey
  readonly notBefore: Date
  readonly notAfter: Date
}

const MAX_CHAIN = 10

/**
 * @param chain PEM, the leaf first
 * @throws IdentityError CERTIFICATE_UNTRUSTED or CERTIFICATE_MALFORMED unless it is for this name and key and now
 */
export function judgeCertificate(
  chain: string,
  key: KeyObject,
  { domain, now }: { readonly domain: string; readonly now: Date },
): WebCertificate {
  const ders = fromPem('CERTIFICATE', chain)
  const refuse = (why: string) =>
    new IdentityError('CERTIFICATE_UNTRUSTED', `the certificate of ${domain} ${why}`)
  if (ders.length > MAX_CHAIN) {
    throw refuse(`has a chain of ${ders.length}, expected at most ${MAX_CHAIN}`)
  }
  const [leaf] = ders.map(parse)
  if (leaf === undefined) throw refuse('is not there')
  if (!leaf.checkPrivateKey(key)) throw refuse('is for another key')
  if (leaf.checkHost(domain, { subject: 'never' }) === undefined) {
    throw refuse(`is for ${leaf.subjectAltName ?? 'no name'}`)
  }
  const [notBefore, notAfter] = [leaf.validFromDate, leaf.validToDate]
  if (now >= notAfter) throw refuse(`expired at ${notAfter.toISOString()}`)
  return {
    shown: {
      // Written anew: text between the blocks is nobody's.
      cert: toPemChain(ders),
      key: String(key.export({ type: 'pkcs8', format: 'pem' })),
    },
    notBefore,
    notAfter,
  }
}

function parse(der: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(der)
  } catch (cause) {
    const why = `the chain has a certificate that cannot be read: ${reasonOf(cause)}`
    throw new IdentityError('CERTIFICATE_MALFORMED', why, { cause })
  }
}

/** @throws IdentityError CERTIFICATE_MALFORMED; the message says nothing of the text */
export function parsePemKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    // What OpenSSL says of a key might quote it.
    throw new IdentityError('CERTIFICATE_MALFORMED', 'no unencrypted private key in PEM')
  }
}
