/** A certificate for a server that tests start, good at any time the tests run, and the CA that it comes from. */
import { toPem } from '../../../../spiffe/x509/pem.ts'
import { KEY_USAGE, makeCertificate } from '../../../fakes/certificate.ts'

const LIFE = { notBefore: new Date('2020-01-01'), notAfter: new Date('2060-01-01') }
const SERVER_AUTH = ['1.3.6.1.5.5.7.3.1']

/** PEM. */
export async function servingCertificate(dnsNames: readonly string[]) {
  const authority = await makeCertificate(undefined, {
    ...LIFE,
    subject: 'CN=test',
    isCa: true,
    keyUsage: KEY_USAGE.keyCertSign,
    keyUsageCritical: true,
  })
  const { certificate, key } = await makeCertificate(authority, {
    ...LIFE,
    subject: 'CN=kubelet',
    keyUsage: KEY_USAGE.digitalSignature,
    extKeyUsage: SERVER_AUTH,
    dnsNames,
  })
  return {
    ca: toPem('CERTIFICATE', authority.certificate),
    certificate: toPem('CERTIFICATE', certificate),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}
