/**
 * A PodCertificateRequest as its API server has it: for whom a kubelet asks for a certificate, and with which key. What
 * has been decided is no request any more.
 *
 * @see Mesh issuance §8 — PodCertificateRequest
 */
import {
  listAt,
  numberAt,
  type ObjectMeta,
  recordAt,
  textAt,
  textsAt,
} from '../../kubernetes/object.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { parseCsr } from '../../spiffe/x509/csr.ts'
import { kindOfKey } from '../../spiffe/x509/public-key.ts'

export interface PodCertificateRequest {
  readonly meta: ObjectMeta
  readonly signerName: string
  readonly pod: { readonly name: string; readonly uid: string }
  readonly serviceAccount: string
  readonly node: { readonly name: string; readonly uid: string }
  /** The longest life that is taken, from notBefore to notAfter. */
  readonly maxSeconds: number
  /** Base64 of a PKCS#10 request that says nothing but its key; empty when `spki` has it. */
  readonly stubCsr: string
  /** Base64 of the key, as API servers before 1.35 have it; empty when `stubCsr` has it. */
  readonly spki: string
  /** What whoever wrote the pod says; nobody has verified it. */
  readonly annotations: Readonly<Record<string, string>>
}

const DEFAULT_MAX_SECONDS = 86_400
const DECISIONS: ReadonlySet<string | undefined> = new Set(['Issued', 'Denied', 'Failed'])

/** @returns undefined for what is decided, or lacks what every API server fills in */
export function readPodCertificateRequest(
  object: unknown,
  meta: ObjectMeta,
): PodCertificateRequest | undefined {
  const conditions = listAt(recordAt(object, 'status'), 'conditions')
  if (conditions.some((one) => DECISIONS.has(textAt(one, 'type')))) return undefined
  const spec = recordAt(object, 'spec')
  const [signerName, podName, podUid, serviceAccount, nodeName, nodeUid] = [
    'signerName',
    'podName',
    'podUID',
    'serviceAccountName',
    'nodeName',
    'nodeUID',
  ].map((key) => textAt(spec, key) || undefined)
  if (signerName === undefined || podName === undefined || podUid === undefined) return undefined
  if (serviceAccount === undefined || nodeName === undefined || nodeUid === undefined) {
    return undefined
  }
  return {
    ...{ meta, signerName, serviceAccount },
    pod: { name: podName, uid: podUid },
    node: { name: nodeName, uid: nodeUid },
    maxSeconds: numberAt(spec, 'maxExpirationSeconds') ?? DEFAULT_MAX_SECONDS,
    stubCsr: textAt(spec, 'stubPKCS10Request') ?? '',
    spki: textAt(spec, 'pkixPublicKey') ?? '',
    annotations: textsAt(spec, 'unverifiedUserAnnotations'),
  }
}

/**
 * The key that is asked for. That its holder asked was proven to the API server; a CSR proves it to us as well.
 * @returns SubjectPublicKeyInfo, DER
 * @throws IdentityError CSR_INVALID or CERTIFICATE_MALFORMED, also for a kind of key that we sign nothing for
 */
export function requestedKey({ stubCsr, spki }: PodCertificateRequest): Uint8Array {
  if (stubCsr === '') {
    const key = Buffer.from(spki, 'base64')
    kindOfKey(key)
    return key
  }
  const csr = parseCsr(Buffer.from(stubCsr, 'base64'))
  // Fails closed: an API server that did not look is no reason not to.
  if (!csr.verify()) throw new IdentityError('CSR_INVALID', 'the CSR is not signed by its own key')
  return csr.spki
}
