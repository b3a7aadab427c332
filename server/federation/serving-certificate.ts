/** The server's own X509-SVID as what a TLS server shows. @see Federation §5.2.2 — https_spiffe */
import type { ServingCertificate } from '../../disk/certificate-files.ts'
import { toPemChain } from '../../spiffe/x509/pem.ts'
import type { ServerSvidSource } from '../listen/tls-listener.ts'

export function svidCertificate(svid: ServerSvidSource): ServingCertificate {
  return {
    current() {
      const { chain, key } = svid.current()
      return {
        cert: toPemChain(chain),
        key: String(key.export({ type: 'pkcs8', format: 'pem' })),
      }
    },
    onChange: svid.onChange,
  }
}
