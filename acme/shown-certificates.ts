/**
 * What a TLS server shows to whom: to a client the certificate of the name it asks for, to a CA that verifies a name
 * the proof. Proofs are shown to nobody else, and a connection that was shown one carries no request.
 *
 * @see RFC 8737 §3 — the server answers `acme-tls/1` for the names under verification alone
 */
import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import type { CertificateAndKey, ServingCertificate } from '../disk/certificate-files.ts'

export interface ShownCertificates extends ServingCertificate {
  readonly tls: NonNullable<ServingCertificate['tls']>
  /** From now on, to those who ask for this name. */
  show(domain: string, certificate: CertificateAndKey): void
  /** To the CA, until what is returned is disposed. */
  prove(domain: string, proof: CertificateAndKey): Disposable
}

const ACME_TLS = 'acme-tls/1'
const HTTP = 'http/1.1'

/**
 * @param domains in lower case; whoever asks for another is refused, whoever names none gets that of the first
 * @param placeholder stands for those that are not there yet
 */
export function showCertificates(
  domains: readonly string[],
  placeholder: CertificateAndKey,
): ShownCertificates {
  const [first = ''] = domains
  const shown = new Map<string, CertificateAndKey>()
  const contexts = new Map<string, SecureContext>()
  const proofs = new Map<string, CertificateAndKey>()
  const verifying = new WeakMap<TLSSocket, SecureContext>()
  const listeners = new Set<() => void>()
  return {
    current: () => shown.get(first) ?? placeholder,
    onChange(listener) {
      const entry = () => listener()
      listeners.add(entry)
      return () => listeners.delete(entry)
    },
    tls: {
      SNICallback(this: TLSSocket, name, done) {
        const proof = verifying.get(this)
        if (proof !== undefined) return done(null, proof)
        // Refused, as SPIRE does: no certificate of ours could be believed for it.
        if (!domains.includes(name.toLowerCase())) done(new Error('no name of this server'))
        // Without a context the server's own is used: that of the first name, or the placeholder.
        else done(null, contexts.get(name.toLowerCase()))
      },
      ALPNCallback(this: TLSSocket, { servername, protocols }) {
        if (protocols.length !== 1 || protocols[0] !== ACME_TLS) {
          return protocols.includes(HTTP) ? HTTP : undefined
        }
        const proof = proofs.get(servername.toLowerCase())
        if (proof === undefined) return undefined // refused: nobody has to verify this name now
        const context = createSecureContext(proof)
        // By TLS 1.3 the protocol is asked for first: a certificate chosen by name would take the proof's place.
        verifying.set(this, context)
        this.setKeyCert(context)
        // The handshake was the answer; nothing that comes after it is read.
        this.once('secure', () => this.destroySoon())
        return ACME_TLS
      },
    },
    show(domain, certificate) {
      shown.set(domain, certificate)
      contexts.set(domain, createSecureContext(certificate))
      if (domain === first) for (const listener of listeners) listener()
    },
    prove(domain, proof) {
      proofs.set(domain, proof)
      return { [Symbol.dispose]: () => proofs.delete(domain) }
    },
  }
}
