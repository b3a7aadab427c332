/**
 * What is written into the status of a PodCertificateRequest: exactly one condition, and with `Issued` the certificate
 * and its times. The API server takes it once and never again.
 *
 * @see Mesh issuance §8 — status
 */
import { fromUnixSeconds, unixSeconds } from '../../spiffe/clock.ts'
import { toPemChain } from '../../spiffe/x509/pem.ts'
import { notBeforeOf } from '../ca/validity.ts'
import type { IssuedX509Svid } from '../issue/x509-svid.ts'

export type DenialReason =
  /** These two have a meaning to Kubernetes. */
  | 'UnsupportedKeyType'
  | 'InvalidUnverifiedUserAnnotations'
  | 'PodMismatch'
  | 'NoRegistrationEntry'
  | 'NodeBanned'
  | 'LifetimeTooShort'
  | 'InvalidIdentity'
  | 'PrivilegedIdentity'

export interface Denial {
  readonly reason: DenialReason
  readonly message: string
}

/** Kubernetes takes no certificate of a shorter life, from notBefore to notAfter. */
export const MIN_LIFE_SECONDS = 3_600
const MAX_MESSAGE_LENGTH = 32_768

/** From notBefore to notAfter. */
export function lifeSecondsOf({ issuedAt, expiresAt }: IssuedX509Svid): number {
  return unixSeconds(expiresAt) - unixSeconds(notBeforeOf(issuedAt))
}

/** A kubelet asks again at half of the life, as our agent does; that is always within the bounds of Kubernetes. */
export function issuedStatus(issued: IssuedX509Svid, now: Date) {
  const notBefore = notBeforeOf(issued.issuedAt)
  const half = unixSeconds(notBefore) + Math.floor(lifeSecondsOf(issued) / 2)
  return {
    conditions: [condition('Issued', 'Issued', 'signed by the authority of the trust domain', now)],
    certificateChain: toPemChain(issued.chain),
    notBefore: timeText(notBefore),
    notAfter: timeText(issued.expiresAt),
    beginRefreshAt: timeText(fromUnixSeconds(half)),
  }
}

export function deniedStatus({ reason, message }: Denial, now: Date) {
  return { conditions: [condition('Denied', reason, message.slice(0, MAX_MESSAGE_LENGTH), now)] }
}

function condition(type: 'Issued' | 'Denied', reason: string, message: string, now: Date) {
  return { type, status: 'True', reason, message, lastTransitionTime: timeText(now) }
}

/** In whole seconds, as Kubernetes has them. */
function timeText(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`
}
