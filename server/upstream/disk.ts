/**
 * `UpstreamAuthority "disk"`: a CA certificate and its key in files, which are read anew for each CA that they sign, so
 * that an operator can replace them. Its intermediates and roots stand in the same file, or in one of their own.
 *
 * @see SPIRE behaviour §8
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import type { RandomBytes } from '../../spiffe/random.ts'
import { createSubordinateCa } from '../../spiffe/x509/ca-certificate.ts'
import { type Certificate, parseCertificate } from '../../spiffe/x509/certificate.ts'
import { parseCsr } from '../../spiffe/x509/csr.ts'
import { fromPem, toPem } from '../../spiffe/x509/pem.ts'
import { randomSerial } from '../ca/serial.ts'
import { validityFrom } from '../ca/validity.ts'
import type { MintedX509Ca, UpstreamAuthority } from './upstream-authority.ts'

export interface DiskUpstreamConfig {
  readonly kind: 'disk'
  /** The CA, then its intermediates; without `bundlePath` it is a root itself. */
  readonly certPath: string
  readonly keyPath: string
  /** Roots, when the CA is not one. */
  readonly bundlePath: string | undefined
}

export interface DiskUpstreamDeps {
  readonly trustDomain: TrustDomain
  readonly clock: Clock
  readonly randomBytes: RandomBytes
}

interface Files {
  readonly ca: Certificate
  readonly key: KeyObject
  /** DER, from the CA upwards, without the root. */
  readonly chain: readonly Uint8Array[]
  readonly roots: readonly Uint8Array[]
}

/** @throws IdentityError CONFIG_INVALID when the files cannot be used */
export async function openDiskUpstream(
  config: DiskUpstreamConfig,
  deps: DiskUpstreamDeps,
): Promise<UpstreamAuthority> {
  await readFiles(config) // a mistake is told at the start, not at the first rotation
  return {
    name: 'disk',
    async mintX509Ca(csr, ttlSeconds) {
      return await sign(csr, ttlSeconds, await readFiles(config), deps)
    },
    publishJwtKey: async () => undefined,
    follow: async () => {},
    async [Symbol.asyncDispose]() {},
  }
}

async function sign(
  csr: Uint8Array,
  ttlSeconds: number,
  { ca, key, chain, roots }: Files,
  { trustDomain, clock, randomBytes }: DiskUpstreamDeps,
): Promise<MintedX509Ca> {
  const request = parseCsr(csr)
  if (!request.verify()) {
    throw new IdentityError('CSR_INVALID', 'the signature of the request does not fit its key')
  }
  const { notBefore, expiresAt } = validityFrom(clock.now(), ttlSeconds, ca.notAfter)
  const certificate = await createSubordinateCa({
    spki: request.spki,
    issuer: { certificate: ca.der, key },
    subject: request.subject,
    trustDomain,
    notBefore,
    notAfter: expiresAt,
    serial: randomSerial(randomBytes),
  })
  return {
    chain: [new Uint8Array(certificate), ...chain],
    roots: roots.map((der) => ({ der, tainted: false })),
  }
}

async function readFiles({ certPath, keyPath, bundlePath }: DiskUpstreamConfig): Promise<Files> {
  const certificates = await readCertificates('cert_file_path', certPath)
  const key = await readKey(keyPath)
  const [first] = certificates
  if (first === undefined) throw refusal('cert_file_path', certPath, 'it has no certificate')
  const ca = parseCertificate(first)
  if (!ca.isCa) throw refusal('cert_file_path', certPath, 'its first certificate is no CA')
  if (!new X509Certificate(toPem('CERTIFICATE', first)).checkPrivateKey(key)) {
    throw refusal('key_file_path', keyPath, `it is not the key of the certificate in ${certPath}`)
  }
  if (bundlePath !== undefined) {
    const roots = await readCertificates('bundle_file_path', bundlePath)
    const isRoot = (der: Uint8Array) => roots.some((root) => Buffer.compare(root, der) === 0)
    return { ca, key, chain: certificates.filter((der) => !isRoot(der)), roots }
  }
  if (Buffer.compare(ca.subject, ca.issuer) !== 0) {
    const why = 'it is no root: name the roots in bundle_file_path'
    throw refusal('cert_file_path', certPath, why)
  }
  if (certificates.length > 1) {
    const why = `it has ${certificates.length} certificates: name the roots in bundle_file_path`
    throw refusal('cert_file_path', certPath, why)
  }
  return { ca, key, chain: [], roots: [first] }
}

async function readCertificates(name: string, path: string): Promise<readonly Uint8Array[]> {
  const text = await readText(name, path)
  try {
    const found = fromPem('CERTIFICATE', text)
    for (const der of found) parseCertificate(der)
    return found
  } catch (error) {
    throw refusal(name, path, reasonOf(error))
  }
}

async function readKey(path: string): Promise<KeyObject> {
  const text = await readText('key_file_path', path)
  try {
    return createPrivateKey(text)
  } catch {
    // What OpenSSL says of a key might quote it.
    throw refusal('key_file_path', path, 'it has no private key in PEM, without a password')
  }
}

async function readText(name: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw refusal(name, path, reasonOf(error))
  }
}

function refusal(name: string, path: string, why: string): IdentityError {
  return new IdentityError('CONFIG_INVALID', `UpstreamAuthority disk, ${name} ${path}: ${why}`)
}
