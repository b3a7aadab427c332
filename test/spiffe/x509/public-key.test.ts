import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseSpki, spkiOf } from '../../../spiffe/key.ts'
import { TAG } from '../../../spiffe/x509/der.ts'
import { bits, encode, integer, oid, sequence } from '../../../spiffe/x509/der-write.ts'
import { OID } from '../../../spiffe/x509/oid.ts'
import { kindOfKey } from '../../../spiffe/x509/public-key.ts'
import { refusalOf } from '../refusal.ts'

const NULL = encode(TAG.null)
const rsa = (modulus: Buffer, exponent: number, parameter = NULL) =>
  sequence(
    sequence(oid(OID.rsaEncryption), parameter),
    bits(sequence(integer(modulus), integer(Buffer.from([exponent])))),
  )
const ec = (curve: string, point: Buffer) =>
  sequence(sequence(oid(OID.ecPublicKey), oid(curve)), bits(point))
const bytes = (length: number) => Buffer.alloc(length, 0xff)
const point = (form: number, length: number) => Buffer.concat([Buffer.of(form), bytes(length)])

const explicitCurve = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  paramEncoding: 'explicit',
}).publicKey

test.for([
  ['P-256', 'ec', generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey],
  ['P-384', 'ec', generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey],
  ['P-521', 'ec', generateKeyPairSync('ec', { namedCurve: 'P-521' }).publicKey],
  ['RSA-2048', 'rsa', generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey],
  ['Ed25519', 'ed25519', generateKeyPairSync('ed25519').publicKey],
] as const)('takes a %s key', ([, kind, key]) => {
  expect(kindOfKey(spkiOf(key))).toBe(kind)
  expect(parseSpki(spkiOf(key)).equals(key)).toBe(true)
})

test.for([
  ['a curve given by its parameters', spkiOf(explicitCurve), 'tag 0x30, expected 0x6'],
  [
    'secp256k1',
    spkiOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey),
    '1.3.132.0.10 is not P-256',
  ],
  ['X25519', spkiOf(generateKeyPairSync('x25519').publicKey), 'kind 1.3.101.110 are not supported'],
  [
    'an RSA-PSS key',
    spkiOf(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey),
    'not supported',
  ],
  ['a compressed point', ec(OID.p256, point(2, 32)), 'uncompressed point'],
  ['a point of another size', ec(OID.p256, point(4, 96)), 'uncompressed point'],
  ['a point that is not on the curve', ec(OID.p256, point(4, 64)), 'the public key is not valid'],
  ['one that is not on P-384', ec(OID.p384, point(4, 96)), 'the public key is not valid'],
  ['one that is not on P-521', ec(OID.p521, point(4, 132)), 'the public key is not valid'],
  [
    'a coordinate beyond the field',
    ec(OID.p256, Buffer.concat([Buffer.of(4), Buffer.alloc(64, 0xff)])),
    'the public key is not valid',
  ],
  ['RSA of 1024 bits', rsa(bytes(128), 3), 'RSA key of 1024 bits, expected 2048 to 8192'],
  ['RSA of 8200 bits', rsa(bytes(1025), 3), 'RSA key of 8200 bits'],
  ['an even RSA exponent', rsa(bytes(256), 4), 'exponent'],
  ['the RSA exponent 1', rsa(bytes(256), 1), 'exponent'],
  ['RSA without its NULL', rsa(bytes(256), 3, Buffer.alloc(0)), 'lacks a value'],
  ['Ed25519 of 31 bytes', sequence(sequence(oid(OID.ed25519)), bits(bytes(31))), '32 bytes'],
  [
    'something after the key',
    sequence(sequence(oid(OID.ed25519)), bits(bytes(32)), NULL),
    'too many',
  ],
  ['nothing', Buffer.alloc(0), 'ends early'],
] as const)('refuses %s', ([, spki, why]) => {
  expect(refusalOf(() => parseSpki(spki))).toMatch('CERTIFICATE_MALFORMED: ')
  expect(refusalOf(() => parseSpki(spki))).toContain(why)
})

test.for(['P-256', 'P-384'])(
  'takes and refuses the points of %s that OpenSSL does',
  (namedCurve) => {
    const key = () => spkiOf(generateKeyPairSync('ec', { namedCurve }).publicKey)
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 7 }), fc.boolean(), (at, bit, isBent) => {
        const spki = key()
        const size = namedCurve === 'P-256' ? 64 : 96
        const place = spki.length - size + (at % size)
        if (isBent) spki[place] = (spki[place] ?? 0) ^ (1 << bit)
        const read = (parse: () => KeyObject) => {
          try {
            return spkiOf(parse()).toString('hex')
          } catch {
            return 'refused'
          }
        }
        const theirs = read(() => createPublicKey({ key: spki, format: 'der', type: 'spki' }))
        expect(read(() => parseSpki(spki))).toBe(theirs)
        expect(theirs === 'refused').toBe(isBent)
      }),
    )
  },
)
