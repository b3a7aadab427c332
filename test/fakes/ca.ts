/** An authority for tests with intermediates and leaves beneath it, good unless told otherwise. */
import { type Bundle, emptyBundle } from '../../spiffe/bundle.ts'
import { parseTrustDomain, type TrustDomain } from '../../spiffe/id.ts'
import {
  type CertificateFields,
  KEY_USAGE,
  type MadeCertificate,
  makeCertificate,
} from './certificate.ts'

export interface TestLeaf extends MadeCertificate {
  /** DER, leaf first, without the root. */
  readonly chain: readonly Uint8Array[]
}

export interface TestCa extends TestLeaf {
  readonly trustDomain: TrustDomain
  /** The root alone, even where this is an intermediate. */
  readonly bundle: Bundle
  /** A CA signed by this one. */
  intermediate(changes?: CertificateFields): Promise<TestCa>
  /** An X509-SVID, by default a good one of `spiffe://<trust domain><path>`. */
  leaf(path?: string, changes?: CertificateFields): Promise<TestLeaf>
}

/** Certificates are valid on 2026-01-01; this is in the middle of that day. */
export const TEST_NOW = new Date('2026-01-01T12:00:00Z')

const SERVER_AND_CLIENT = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']
let names = 0

/** @param fields of the root, where they are to differ */
export async function testCa({
  trustDomain: name = 'example.org',
  ...fields
}: { readonly trustDomain?: string } & CertificateFields = {}): Promise<TestCa> {
  const trustDomain = parseTrustDomain(name)
  const made = await makeCertificate(undefined, caFields(trustDomain, fields))
  const x509Authorities = [{ der: made.certificate, tainted: false }]
  return asCa(made, [], trustDomain, { ...emptyBundle(trustDomain), x509Authorities })
}

function asCa(
  made: MadeCertificate,
  chain: readonly Uint8Array[],
  trustDomain: TrustDomain,
  bundle: Bundle,
): TestCa {
  return {
    ...made,
    chain,
    trustDomain,
    bundle,
    async intermediate(changes = {}) {
      const below = await makeCertificate(made, caFields(trustDomain, changes))
      return asCa(below, [below.certificate, ...chain], trustDomain, bundle)
    },
    async leaf(path = '/workload', changes = {}) {
      const leaf = await makeCertificate(made, {
        subject: 'C=US, O=SPIRE',
        keyUsage: KEY_USAGE.digitalSignature | KEY_USAGE.keyAgreement,
        uriSans: [`spiffe://${trustDomain}${path}`],
        extKeyUsage: SERVER_AND_CLIENT,
        ...changes,
      })
      return { ...leaf, chain: [leaf.certificate, ...chain] }
    },
  }
}

function caFields(trustDomain: TrustDomain, changes: CertificateFields): CertificateFields {
  return {
    // As SPIRE's: a serial number makes every name unique.
    subject: `C=US, O=SPIFFE, 2.5.4.5=${++names}`,
    isCa: true,
    keyUsage: KEY_USAGE.keyCertSign | KEY_USAGE.cRLSign,
    uriSans: [`spiffe://${trustDomain}`],
    ...changes,
  }
}
