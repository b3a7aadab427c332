import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  formatBundleDocument,
  formatJwks,
  parseBundleDocument,
  parseJwks,
} from '../../../spiffe/bundle/jwks.ts'
import { type Bundle, emptyBundle } from '../../../spiffe/bundle.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { generateKey, spkiOf } from '../../../spiffe/key.ts'
import { fromPem } from '../../../spiffe/x509/pem.ts'
import { testCa } from '../../fakes/ca.ts'
import { BRAINPOOL_ROOT, OPENSSL_ROOT, SPIRE_BUNDLE } from '../../vectors/foreign-documents.ts'
import { refusalOf, survives } from '../refusal.ts'

const trustDomain = parseTrustDomain('example.org')
const ca = await testCa()
const rsaCa = await testCa({ keyType: 'rsa-2048' })
const jwtKey = (keyId: string, publicKey: Uint8Array) => ({
  keyId,
  publicKey,
  expiresAt: undefined,
  tainted: false,
})
const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' }).publicKey

const bundle: Bundle = {
  trustDomain,
  x509Authorities: [ca, rsaCa].map((one) => ({ der: one.certificate, tainted: false })),
  jwtAuthorities: [
    jwtKey('one', spkiOf(await generateKey('ec-p256'))),
    jwtKey('two', spkiOf(await generateKey('ec-p384'))),
    jwtKey('three', spkiOf(await generateKey('rsa-2048'))),
    jwtKey('four', spkiOf(p521)),
  ],
  refreshHintSeconds: 300,
  sequenceNumber: 42,
}

const parse = (document: unknown) => parseBundleDocument(JSON.stringify(document), trustDomain)
const refusal = (document: unknown) => refusalOf(() => parse(document))

test('a bundle comes back from its document as it was', () => {
  expect(parseBundleDocument(formatBundleDocument(bundle), trustDomain)).toEqual(bundle)
})

test('the document of a real SPIRE server is read, and written again character for character', () => {
  const spire = parseBundleDocument(SPIRE_BUNDLE, trustDomain)
  expect([spire.x509Authorities.length, spire.jwtAuthorities.length]).toEqual([1, 1])
  expect(spire.sequenceNumber).toBe(1)
  expect(formatBundleDocument(spire)).toBe(SPIRE_BUNDLE)
})

test('the form of the Workload API has no use, sequence, hint or X.509 keys', () => {
  const text = formatJwks(bundle)
  expect(JSON.parse(text).keys.map((key: object) => Object.keys(key))).toEqual([
    ['kty', 'kid', 'crv', 'x', 'y'],
    ['kty', 'kid', 'crv', 'x', 'y'],
    ['kty', 'kid', 'n', 'e'],
    ['kty', 'kid', 'crv', 'x', 'y'],
  ])
  expect(text).toMatch(/^\{\n {4}"keys": \[\n {8}\{\n {12}"kty": "EC",\n {12}"kid": "one",/)
  const { jwtAuthorities } = parseJwks(text, trustDomain)
  expect(jwtAuthorities).toEqual(bundle.jwtAuthorities)
})

test('a JWT authority with a key of no known kind, or too small a one, is left out of every document', () => {
  const keys = [
    generateKeyPairSync('x25519'),
    generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
    generateKeyPairSync('ec', { namedCurve: 'secp224r1' }),
    generateKeyPairSync('rsa', { modulusLength: 1024 }),
  ]
  const odd = keys.map(({ publicKey }, at) => jwtKey(String(at), spkiOf(publicKey)))
  const broken = jwtKey('broken', Buffer.from('no key'))
  const good = bundle.jwtAuthorities
  const mixed = { ...emptyBundle(trustDomain), jwtAuthorities: [...odd, broken, ...good] }
  const kids = (text: string) => JSON.parse(text).keys.map(({ kid }: { kid: string }) => kid)
  expect(kids(formatBundleDocument(mixed))).toEqual(good.map(({ keyId }) => keyId))
  expect(kids(formatJwks(mixed))).toEqual(good.map(({ keyId }) => keyId))
})

test('a root whose key no document can say is left out, and the others are served', () => {
  const [root = Buffer.alloc(0)] = fromPem('CERTIFICATE', BRAINPOOL_ROOT)
  const odd = { der: root, tainted: false }
  const mixed = { ...bundle, x509Authorities: [odd, ...bundle.x509Authorities] }
  expect(parseBundleDocument(formatBundleDocument(mixed), trustDomain)).toEqual(bundle)
})

test('an empty bundle is written with an empty list, and trusts nobody when read', () => {
  expect(formatJwks(emptyBundle(trustDomain))).toBe('{\n    "keys": []\n}')
  expect(parse({ keys: [] })).toEqual(emptyBundle(trustDomain))
})

test('an Ed25519 root is written and read, an Ed25519 JWT key is neither', () => {
  const [root = Buffer.alloc(0)] = fromPem('CERTIFICATE', OPENSSL_ROOT)
  const { publicKey } = generateKeyPairSync('ed25519')
  const odd = {
    ...emptyBundle(trustDomain),
    x509Authorities: [{ der: root, tainted: false }],
    jwtAuthorities: [jwtKey('ed', spkiOf(publicKey))],
  }
  const text = formatBundleDocument(odd)
  expect(JSON.parse(text).keys).toMatchObject([{ use: 'x509-svid', kty: 'OKP', crv: 'Ed25519' }])
  expect(parseBundleDocument(text, trustDomain)).toEqual({ ...odd, jwtAuthorities: [] })
})

const ec = createPublicKey(await generateKey('ec-p256')).export({ format: 'jwk' })
const x5c = [Buffer.from(ca.certificate).toString('base64')]

test.for([
  ['another kty', { ...ec, kty: 'oct', use: 'jwt-svid', kid: 'a' }],
  ['no kty', { ...ec, kty: undefined, use: 'jwt-svid', kid: 'a' }],
  ['no use', { ...ec, kid: 'a' }],
  ['another use', { ...ec, use: 'sig', kid: 'a' }],
  ['the use of WIT-SVIDs', { ...ec, use: 'wit-svid', kid: 'a' }],
  [
    'a certificate and another kty',
    { kty: 'AKP', use: 'x509-svid', x5c: [Buffer.from(ca.certificate).toString('base64')] },
  ],
  ['an Ed25519 key', { kty: 'OKP', crv: 'Ed25519', x: ec.x, use: 'jwt-svid', kid: 'a' }],
  ['an unknown curve', { ...ec, crv: 'secp256k1', use: 'jwt-svid', kid: 'a' }],
  ['an X.509 use and no x5c', { ...ec, use: 'x509-svid' }],
  ['an X.509 use and an empty x5c', { ...ec, use: 'x509-svid', x5c: [] }],
] as const)('skips an entry with %s', ([, key]) => {
  const read = parse({ keys: [key, { ...ec, use: 'jwt-svid', kid: 'good' }] })
  expect(read.x509Authorities).toEqual([])
  expect(read.jwtAuthorities.map(({ keyId }) => keyId)).toEqual(['good'])
})

test('takes the first x5c value alone', () => {
  const read = parse({ keys: [{ kty: 'EC', use: 'x509-svid', x5c: [...x5c, 'not base64!'] }] })
  expect(read.x509Authorities.map(({ der }) => Buffer.from(der))).toEqual([ca.certificate])
})

test('parameters that nobody knows change nothing', () => {
  const key = { ...ec, use: 'jwt-svid', kid: 'a', alg: 'HS256', key_ops: ['sign'], x: ec.x }
  expect(parse({ keys: [key], spiffe_future: true }).jwtAuthorities.length).toBe(1)
})

test.for([
  ['a list', [], 'not a JSON object'],
  ['no keys', {}, 'no list "keys"'],
  ['keys that are null', { keys: null }, 'no list "keys"'],
  ['keys that are an object', { keys: {} }, 'no list "keys"'],
  ['a key that is no object', { keys: ['x'] }, 'key 0 is not an object'],
  ['a key that is null', { keys: [null] }, 'key 0 is not an object'],
  ['a key that is a list', { keys: [[]] }, 'key 0 is not an object'],
  ['too many keys', { keys: Array.from({ length: 1001 }, () => ({})) }, 'more than 1000 keys'],
  ['a fraction as sequence', { keys: [], spiffe_sequence: 1.5 }, 'spiffe_sequence'],
  ['a negative hint', { keys: [], spiffe_refresh_hint: -1 }, 'spiffe_refresh_hint'],
  ['a hint that is text', { keys: [], spiffe_refresh_hint: '5' }, 'spiffe_refresh_hint'],
  ['a JWT key without kid', { keys: [{ ...ec, use: 'jwt-svid' }] }, 'key 0 has no kid'],
  ['an empty kid', { keys: [{ ...ec, use: 'jwt-svid', kid: '' }] }, 'key 0 has no kid'],
  ['a kid that is no text', { keys: [{ ...ec, use: 'jwt-svid', kid: 1 }] }, 'has no kid'],
  [
    'a kid twice',
    { keys: ['jwt-svid', 'jwt-svid'].map((use) => ({ ...ec, use, kid: 'a' })) },
    'kid "a" is there twice',
  ],
  [
    'a point off its curve',
    { keys: [{ ...ec, x: ec.y, use: 'jwt-svid', kid: 'a' }] },
    'not a valid EC public key',
  ],
  ['an EC key without y', { keys: [{ ...ec, y: undefined, use: 'jwt-svid', kid: 'a' }] }, 'EC'],
  [
    'a small RSA key',
    {
      keys: [
        {
          ...generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({
            format: 'jwk',
          }),
          use: 'jwt-svid',
          kid: 'a',
        },
      ],
    },
    'RSA key of 1024 bits',
  ],
  [
    'a certificate that is no base64',
    { keys: [{ kty: 'EC', use: 'x509-svid', x5c: ['a-b_'] }] },
    'x5c of key 0 is not base64',
  ],
  [
    'a certificate that is none',
    { keys: [{ kty: 'EC', use: 'x509-svid', x5c: ['AAAA'] }] },
    'x5c of key 0: malformed DER',
  ],
  [
    'a certificate of another kind of key',
    { keys: [{ kty: 'OKP', crv: 'Ed25519', x: ec.x, use: 'x509-svid', x5c }] },
    'different public keys',
  ],
  [
    'a certificate of another key',
    { keys: [{ ...ec, use: 'x509-svid', x5c }] },
    'different public keys',
  ],
] as const)('refuses a document with %s', ([, document, why]) => {
  expect(refusal(document)).toMatch('BUNDLE_MALFORMED: ')
  expect(refusal(document)).toContain(why)
})

test('refuses a document that has a key twice, and one that is too long', () => {
  expect(refusalOf(() => parseBundleDocument('{"keys":[],"keys":[]}', trustDomain))).toContain(
    'the key "keys" twice',
  )
  expect(refusalOf(() => parseBundleDocument(' '.repeat(5_000_000), trustDomain))).toContain(
    'longer than 4194304 bytes',
  )
})

test('the Workload API form skips keys marked for something else, and refuses a kid twice', () => {
  const read = (keys: readonly object[]) => parseJwks(JSON.stringify({ keys }), trustDomain)
  const keys = [
    { ...ec, kid: 'a' },
    { ...ec, kid: 'b', use: 'x509-svid', x5c },
  ]
  expect(read(keys).jwtAuthorities.map(({ keyId }) => keyId)).toEqual(['a'])
  expect(read([{ kty: 'oct', k: 'AA' }]).jwtAuthorities).toEqual([])
  expect(
    refusalOf(() =>
      read([
        { ...ec, kid: 'a' },
        { ...ec, kid: 'a' },
      ]),
    ),
  ).toContain('twice')
  expect(refusalOf(() => read([ec]))).toContain('key 0 has no kid')
})

test('any text and any JSON is read or refused, never anything else', () => {
  const entry = fc.record(
    {
      kty: fc.constantFrom('EC', 'RSA', 'OKP', 'oct'),
      use: fc.constantFrom('x509-svid', 'jwt-svid', 'wit-svid'),
      kid: fc.oneof(fc.string(), fc.nat()),
      crv: fc.constantFrom('P-256', 'P-521', 'Ed25519', 'x'),
      x: fc.oneof(fc.base64String(), fc.nat()),
      y: fc.base64String(),
      n: fc.base64String(),
      e: fc.base64String(),
      x5c: fc.oneof(fc.array(fc.base64String()), fc.string()),
    },
    { requiredKeys: [] },
  )
  const documents = fc.record({ keys: fc.array(entry, { maxLength: 3 }) })
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        documents.map((one) => JSON.stringify(one)),
      ),
      (text) => {
        survives(() => parseBundleDocument(text, trustDomain), 'BUNDLE_MALFORMED')
        survives(() => parseJwks(text, trustDomain), 'BUNDLE_MALFORMED')
      },
    ),
    { numRuns: 300 },
  )
})
