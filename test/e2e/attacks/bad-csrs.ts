/** Signing requests that ask for more than an agent may have, and those with keys that vouch for nobody. */
import 'reflect-metadata'
import { createHash, randomBytes, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { generateKey } from '../../../spiffe/key.ts'
import { createCsr } from '../../../spiffe/x509/csr.ts'
import { TAG } from '../../../spiffe/x509/der.ts'
import { bits, encode, integer, octets, oid, sequence } from '../../../spiffe/x509/der-write.ts'
import { OID } from '../../../spiffe/x509/oid.ts'
import { run } from '../../processes/process.ts'

x509.cryptoProvider.set(webcrypto)

const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

async function asking(...extensions: readonly x509.Extension[]): Promise<Buffer> {
  const keys = await webcrypto.subtle.generateKey(EC, true, ['sign', 'verify'])
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=spire-server',
    keys,
    signingAlgorithm: EC,
    extensions: [...extensions],
  })
  return Buffer.from(request.rawData)
}

const { keyCertSign, cRLSign } = x509.KeyUsageFlags

/** What is asked for, and the request. */
export const GREEDY_CSRS: readonly (readonly [string, () => Promise<Buffer>])[] = [
  [
    'the ID of another workload',
    async () =>
      createCsr({ key: await generateKey('ec-p256'), uriSans: ['spiffe://example.org/foreign'] }),
  ],
  [
    'the ID of the server',
    async () =>
      createCsr({
        key: await generateKey('ec-p256'),
        uriSans: ['spiffe://example.org/spire/server'],
      }),
  ],
  [
    'an ID of another trust domain, and for host names',
    async () =>
      createCsr({
        key: await generateKey('ec-p256'),
        uriSans: ['spiffe://other.org/x'],
        dnsNames: ['bank.example'],
      }),
  ],
  [
    'the rights of a CA',
    () =>
      asking(
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
      ),
  ],
]

/** As PKCS #1 has it. With the exponent 1 that is its own signature: everybody can make it. */
function paddedHash(message: Uint8Array, length: number): Buffer {
  const digest = createHash('sha256').update(message).digest()
  const algorithm = sequence(oid('2.16.840.1.101.3.4.2.1'), encode(TAG.null))
  const info = sequence(algorithm, octets(digest))
  const padding = Buffer.alloc(length - info.length - 3, 0xff)
  return Buffer.concat([Buffer.of(0, 1), padding, Buffer.of(0), info])
}

function exponentOne(): Buffer {
  const modulus = randomBytes(256)
  modulus[0] = 0xff
  modulus[255] = 0xff
  const key = sequence(
    sequence(oid(OID.rsaEncryption), encode(TAG.null)),
    bits(sequence(integer(modulus), integer(Buffer.of(1)))),
  )
  const info = sequence(integer(Buffer.of(0)), sequence(), key, encode(0xa0))
  const algorithm = sequence(oid('1.2.840.113549.1.1.11'), encode(TAG.null))
  return sequence(info, algorithm, bits(paddedHash(info, modulus.length)))
}

async function byOpenssl(...algorithm: readonly string[]): Promise<Buffer> {
  const words = ['req', '-new', '-nodes', '-keyout', '/dev/null', '-subj', '/CN=x', ...algorithm]
  const { stdout, stderr } = await run('openssl', words)
  const base64 = /-----BEGIN CERTIFICATE REQUEST-----([^-]+)/.exec(stdout)?.[1]
  if (base64 === undefined) throw new Error(`openssl made no request: ${stderr}`)
  return Buffer.from(base64, 'base64')
}

/** What is weak, the request, and what SPIRE does with it. */
export const WEAK_CSRS: readonly (readonly [
  string,
  () => Promise<Buffer>,
  'signed' | 'refused',
])[] = [
  ['an RSA key of 1024 bits', () => byOpenssl('-newkey', 'rsa:1024'), 'signed'],
  ['an RSA key whose exponent is 1', async () => exponentOne(), 'refused'],
  [
    'a key of the curve P-192',
    () => byOpenssl('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime192v1'),
    'refused',
  ],
  [
    'a key of the curve secp256k1',
    () => byOpenssl('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1'),
    'refused',
  ],
  ['an Ed448 key', () => byOpenssl('-newkey', 'ed448'), 'refused'],
  [
    'a signature by another key',
    async () => {
      const csr = createCsr({ key: await generateKey('ec-p256') })
      csr[csr.length - 1] = (csr[csr.length - 1] ?? 0) ^ 1
      return csr
    },
    'refused',
  ],
]
