/**
 * What the workload is told of its caller's certificate, from the chain that was verified. Fails closed: a DNS name that could be
 * taken for another part of the header is left out, whoever signed it, for the authority of another trust domain chooses its names.
 */
import { createHash, X509Certificate } from 'node:crypto'
import type { SpiffeId } from '../../spiffe/id.ts'
import { parseCertificate } from '../../spiffe/x509/certificate.ts'
import type { VerifiedPeer } from '../../workload/tls/judge-peer.ts'
import type { CallerCertificate } from './forwarded-headers.ts'

/** More of them than any caller has; a header line has a bound as well. */
const MAX_DNS_NAMES = 32
const DNS_NAME = /^[A-Za-z0-9*]([A-Za-z0-9._-]{0,252})$/

/** @param by our own SPIFFE ID on this connection @throws Error when the chain is empty, which no verified one is */
export function callerCertificate({ id, chain }: VerifiedPeer, by: SpiffeId): CallerCertificate {
  const [leaf] = chain
  if (leaf === undefined) throw new Error('a verified peer without a certificate')
  return {
    by,
    caller: id,
    sha256: createHash('sha256').update(leaf).digest('hex'),
    subject: rfc2253(new X509Certificate(leaf).subject),
    dnsNames: parseCertificate(leaf)
      .dnsNames.filter((name) => DNS_NAME.test(name))
      .slice(0, MAX_DNS_NAMES),
  }
}

const NON_ASCII = /[\u{80}-\u{10ffff}]/gu

/**
 * OpenSSL's text of a name, one part on each line, as RFC 2253 §2.1 to §2.4 write it: the last part first, with commas. What
 * is special in a value is escaped in both; a control character too, so that no line is broken.
 * @param lines as `X509Certificate.subject`
 */
export function rfc2253(lines: string | undefined): string {
  if (lines === undefined || lines === '') return ''
  const parts = lines.split('\n').reverse()
  const text = parts.map((part) => part.split(' + ').reverse().join('+')).join(',')
  return text.replace(NON_ASCII, (one) =>
    [...Buffer.from(one)].map((byte) => `\\${byte.toString(16).toUpperCase()}`).join(''),
  )
}
