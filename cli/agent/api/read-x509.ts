/** Reads an answer of FetchX509SVID as a workload would, and refuses it where a workload would. */
import type { X509SVIDResponse } from '../../../proto/gen/X509SVIDResponse.ts'
import { IdentityError, reasonOf } from '../../../spiffe/error.ts'
import { type Certificate, parseCertificates } from '../../../spiffe/x509/certificate.ts'
import { quote } from '../../output/go-quote.ts'

export interface ReadSvid {
  readonly id: string
  readonly hint: string
  readonly chain: readonly Certificate[]
  readonly bundle: readonly Certificate[]
  /** PKCS#8, DER. */
  readonly key: Buffer
}

export interface ReadAnswer {
  readonly svids: readonly ReadSvid[]
  /** By the ID of their trust domain, sorted. */
  readonly federatedBundles: ReadonlyMap<string, readonly Certificate[]>
}

/** @throws IdentityError CERTIFICATE_MALFORMED, or NO_IDENTITY_ISSUED when there is no SVID in it */
export function readX509Answer({ svids, federated_bundles }: X509SVIDResponse): ReadAnswer {
  if (svids.length === 0) {
    throw new IdentityError('NO_IDENTITY_ISSUED', 'workload response contains no svids')
  }
  const federated = Object.entries(federated_bundles).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return {
    svids: svids.map((svid, index) =>
      reading(`svid entry ${index} for spiffe id ${quote(svid.spiffe_id)}`, () => ({
        id: svid.spiffe_id,
        hint: svid.hint,
        chain: parseCertificates(svid.x509_svid),
        bundle: parseCertificates(svid.bundle),
        key: svid.x509_svid_key,
      })),
    ),
    federatedBundles: new Map(
      federated.map(([id, bytes]) => [
        id,
        reading(`bundle of ${quote(id)}`, () => parseCertificates(bytes)),
      ]),
    ),
  }
}

function reading<T>(what: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof IdentityError)) throw cause
    throw new IdentityError(cause.code, `failed to parse ${what}: ${reasonOf(cause)}`, { cause })
  }
}
