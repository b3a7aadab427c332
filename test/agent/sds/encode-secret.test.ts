/** Secrets in Envoy's own messages, to the byte that its descriptors demand. */
import { expect, test } from 'vitest'
import { encodeSecret, SECRET_TYPE_URL } from '../../../agent/sds/encode-secret.ts'
import { emptyBundle } from '../../../spiffe/bundle.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { fakeIdentity } from '../../fakes/identity-source.ts'

const pem = (label: string, text: string) =>
  `-----BEGIN ${label}-----\n${Buffer.from(text).toString('base64')}\n-----END ${label}-----\n`
const bundle = (name: string, ...roots: readonly string[]) => ({
  ...emptyBundle(parseTrustDomain(name)),
  x509Authorities: roots.map((root) => ({ der: Buffer.from(root), tainted: false })),
})
/** A field with a length, as protobuf writes it; all of these are shorter than 16 KiB. */
const field = (number: number, content: string | Buffer) => {
  const bytes = Buffer.from(content)
  const length =
    bytes.length < 0x80 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7]
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes])
}
const together = (...parts: readonly Buffer[]) => Buffer.concat(parts)

test('an SVID is its chain and its key, both as bytes', () => {
  const identity = fakeIdentity('spiffe://example.org/w', {
    chain: [Buffer.from('a'), Buffer.from('b')],
    key: Buffer.from('k'),
  })
  const { type_url, value } = encodeSecret({ kind: 'svid', name: 'default', identity }, 'spiffe')
  expect(type_url).toBe(SECRET_TYPE_URL)
  const chain = field(2, pem('CERTIFICATE', 'a') + pem('CERTIFICATE', 'b'))
  const certificate = together(field(1, chain), field(2, field(2, pem('PRIVATE KEY', 'k'))))
  expect(value).toEqual(together(field(1, 'default'), field(2, certificate)))
})

test('a bundle is the SPIFFE validator’s configuration, its trust domain without the scheme', () => {
  const one = bundle('example.org', 'r', 's')
  const { value } = encodeSecret({ kind: 'bundle', name: 'ROOTCA', bundle: one }, 'spiffe')
  const roots = field(2, pem('CERTIFICATE', 'r') + pem('CERTIFICATE', 's'))
  const domain = field(1, together(field(1, 'example.org'), field(2, roots)))
  const TYPE =
    'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig'
  const any = together(field(1, TYPE), field(2, domain))
  const custom = together(field(1, 'envoy.tls.cert_validator.spiffe'), field(2, any))
  expect(value).toEqual(together(field(1, 'ROOTCA'), field(4, field(12, custom))))
})

test('without the validator a bundle is its roots', () => {
  const one = bundle('example.org', 'r')
  const { value } = encodeSecret({ kind: 'bundle', name: 'ROOTCA', bundle: one }, 'roots')
  const roots = field(1, field(2, pem('CERTIFICATE', 'r')))
  expect(value).toEqual(together(field(1, 'ROOTCA'), field(4, roots)))
})

test('refuses several bundles in one without the validator, which alone keeps them apart', () => {
  const bundles = [bundle('a.org', 'a'), bundle('b.org', 'b')]
  const encode = () => encodeSecret({ kind: 'bundles', name: 'ALL', bundles }, 'roots')
  expect(encode).toThrow(
    new IdentityError('INTERNAL', 'unable to use "SPIFFE validator" on Envoy below 1.17'),
  )
})
