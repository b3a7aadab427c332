/**
 * Self-signed certificates of a listener whose real ones come by ACME: the one that proves a name to the CA, and the
 * one that holds the place until the first real one is there. No client has a reason to trust either.
 *
 * @see RFC 8737 §3 — TLS with application-layer protocol negotiation challenge
 */
import { createHash, type KeyObject } from 'node:crypto'
import type { CertificateAndKey } from '../disk/certificate-files.ts'
import { spkiOf } from '../spiffe/key.ts'
import type { RandomBytes } from '../spiffe/random.ts'
import {
  bits,
  boolean,
  encode,
  integer,
  octets,
  oid,
  sequence,
  time,
} from '../spiffe/x509/der-write.ts'
import { altNamesExtension } from '../spiffe/x509/general-names.ts'
import { encodeSerial } from '../spiffe/x509/issue-leaf.ts'
import { toPem } from '../spiffe/x509/pem.ts'
import { signerOf } from '../spiffe/x509/signature.ts'

export interface SelfSignedDeps {
  /** Private, P-256: a listener can change to a certificate of the same kind while it greets a client. */
  readonly key: KeyObject
  readonly now: Date
  readonly randomBytes: RandomBytes
}

const ACME_IDENTIFIER = oid('1.3.6.1.5.5.7.1.31')
const VERSION_3 = encode(0xa0, integer(Buffer.of(2)))
const EXTENSIONS = 0xa3
const NO_NAME = sequence()
const SERIAL_BYTES = 16
/** For CAs whose clock is behind. */
const BACKDATED_MS = 3_600_000
const LIFETIME_MS = 7 * 24 * 3_600_000

/** @see RFC 8737 §3 — one name, and the digest of the key authorization in a critical extension */
export function challengeCertificate(
  domain: string,
  keyAuthorization: string,
  deps: SelfSignedDeps,
): CertificateAndKey {
  const digest = createHash('sha256').update(keyAuthorization).digest()
  return selfSigned(
    domain,
    [sequence(ACME_IDENTIFIER, boolean(true), octets(octets(digest)))],
    deps,
  )
}

/** Lets the handshake come to where a challenge is answered; clients that verify end it there. */
export function placeholderCertificate(domain: string, deps: SelfSignedDeps): CertificateAndKey {
  return selfSigned(domain, [], deps)
}

function selfSigned(
  domain: string,
  extensions: readonly Buffer[],
  { key, now, randomBytes }: SelfSignedDeps,
): CertificateAndKey {
  const { identifier, sign } = signerOf(key)
  const at = (offsetMs: number) => time(new Date(now.getTime() + offsetMs))
  const tbs = sequence(
    VERSION_3,
    encodeSerial(randomBytes(SERIAL_BYTES)),
    identifier,
    NO_NAME,
    sequence(at(-BACKDATED_MS), at(LIFETIME_MS)),
    NO_NAME,
    spkiOf(key),
    encode(
      EXTENSIONS,
      // RFC 5280 §4.2.1.6: without a subject this is the only name, so it must be critical.
      sequence(altNamesExtension({ uriSans: [], dnsNames: [domain] }, true), ...extensions),
    ),
  )
  return {
    cert: toPem('CERTIFICATE', sequence(tbs, identifier, bits(sign(tbs)))),
    key: String(key.export({ type: 'pkcs8', format: 'pem' })),
  }
}
