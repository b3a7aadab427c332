/**
 * What every signing request must be, whichever mesh it comes from: signed by its own key, which is strong enough, and
 * asking for nothing beyond a name and the usages of a proxy. What it asks for is never what is signed.
 *
 * @see Mesh issuance §2.4 — istio-csr
 */
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { type Csr, parseCsr } from '../../spiffe/x509/csr.ts'
import { OID } from '../../spiffe/x509/oid.ts'
import { fromPem } from '../../spiffe/x509/pem.ts'

/** What the proxies of all meshes ask for, and what does no harm if it is ignored. */
const ALLOWED_EXTENSIONS: ReadonlySet<string> = new Set([
  OID.subjectAltName,
  OID.keyUsage,
  OID.extKeyUsage,
])

/** An RSA-8192 request with a long name is a quarter of it. */
const MAX_CSR_TEXT_BYTES = 24 * 1024

/** @throws IdentityError CSR_INVALID for anything but the PEM of exactly one request */
export function readPemCsr(text: string): Csr {
  if (text.length > MAX_CSR_TEXT_BYTES) {
    throw invalid(`the CSR has ${text.length} characters, expected at most ${MAX_CSR_TEXT_BYTES}`)
  }
  const blocks = within(() => fromPem('CERTIFICATE REQUEST', text))
  const [der] = blocks
  // Fails closed: of two requests, different readers might take different ones.
  if (der === undefined || blocks.length > 1) {
    throw invalid(`expected one CSR, but there are ${blocks.length}`)
  }
  return readCsr(der)
}

/** @throws IdentityError CSR_INVALID */
export function readCsr(der: Uint8Array): Csr {
  const csr = within(() => parseCsr(der))
  if (!within(() => csr.verify())) throw invalid('the CSR is not signed by its own key')
  const foreign = csr.extensions.find((one) => !ALLOWED_EXTENSIONS.has(one))
  if (foreign !== undefined) {
    const allowed = 'subject alternative name, key usage and extended key usage'
    throw invalid(`the CSR asks for the extension ${foreign}, expected only ${allowed}`)
  }
  const twice = csr.extensions.find((one, index) => csr.extensions.indexOf(one) !== index)
  if (twice !== undefined) throw invalid(`the CSR asks for the extension ${twice} twice`)
  return csr
}

function within<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof IdentityError)) throw cause
    throw new IdentityError('CSR_INVALID', reasonOf(cause), { cause })
  }
}

function invalid(why: string): IdentityError {
  return new IdentityError('CSR_INVALID', why)
}
