/** Documents of trust: JSON, key sets, bundles, PEM, and JWTs, beside JSON.parse and jose. */
import { sign } from 'node:crypto'
import { decodeJwt } from 'jose'
import { toWireBundle } from '../../../proto/wire.ts'
import { parseBundleMap } from '../../../spiffe/bundle/bundle-map.ts'
import { toJwk } from '../../../spiffe/bundle/jwk.ts'
import {
  formatBundleDocument,
  parseBundleDocument,
  parseJwks,
} from '../../../spiffe/bundle/jwks.ts'
import { formatBundlePem, parseBundlePem } from '../../../spiffe/bundle/pem.ts'
import { parseStrictJson } from '../../../spiffe/bundle/strict-json.ts'
import { emptyBundle } from '../../../spiffe/bundle.ts'
import { parseSpiffeId, parseTrustDomain } from '../../../spiffe/id.ts'
import { parseIssuerKeys, verifyIssuedToken } from '../../../spiffe/jwt/issued-token.ts'
import { parseJwtSvid } from '../../../spiffe/jwt/jwt-svid.ts'
import { signJwtSvid } from '../../../spiffe/jwt/sign.ts'
import { verifyJwtSvid } from '../../../spiffe/jwt/verify.ts'
import { generateKey, spkiOf } from '../../../spiffe/key.ts'
import { parseCertificate } from '../../../spiffe/x509/certificate.ts'
import { fromPem, type PemLabel, toPem } from '../../../spiffe/x509/pem.ts'
import * as foreign from '../../vectors/foreign-documents.ts'
import { answerOf, broken, type FuzzTarget, mustEqual, ofText } from '../target.ts'

const trustDomain = parseTrustDomain('example.org')
const JSON_WORDS = [
  '{"',
  '"}',
  '":',
  '[',
  ']',
  'null',
  'true',
  '1e400',
  '-0',
  '\\u0000',
  '\\ud800',
  '"__proto__"',
  '{"a":{}}',
]
const JWK_WORDS = [
  '"keys"',
  '"kty"',
  '"EC"',
  '"RSA"',
  '"OKP"',
  '"crv"',
  '"P-256"',
  '"x"',
  '"y"',
  '"n"',
  '"e":"AQAB"',
  '"kid"',
  '"use"',
  '"x509-svid"',
  '"jwt-svid"',
  '"x5c"',
  '"spiffe_sequence"',
  '"spiffe_refresh_hint"',
  '"alg"',
]

const json: FuzzTarget = {
  name: 'document-json',
  oracle: 'what is read JSON.parse reads as the same',
  seeds: [
    '{"a":[1,-2.5e3,true,null,"\\u00e9"]}',
    '[]',
    '""',
    '{"__proto__":1}',
    '{"a":1,"a":2}',
  ].map(ofText),
  dictionary: JSON_WORDS,
  ...{ maxBytes: 2_048, share: 10 },
  run(input) {
    const text = input.toString('utf8')
    const read = answerOf(() => parseStrictJson(text))
    if (read !== undefined) mustEqual('JSON', read.answer, JSON.parse(text))
  },
}

const bundle: FuzzTarget = {
  name: 'document-bundle',
  oracle:
    'a bundle that is read is written and read as the same but for keys that no document can tell, and on the wire',
  seeds: [foreign.SPIRE_BUNDLE, '{"keys":[]}', '{"trust_domains":{"example.org":{"keys":[]}}}'].map(
    ofText,
  ),
  dictionary: [...JSON_WORDS, ...JWK_WORDS, '"trust_domains"'],
  ...{ maxBytes: 8_192, share: 4 },
  run(input) {
    const text = input.toString('utf8')
    answerOf(() => parseBundleMap(text))
    answerOf(() => parseJwks(text, trustDomain))
    const read = answerOf(() => parseBundleDocument(text, trustDomain))
    if (read === undefined) return
    // A certificate whose key is none, e.g. a point beside its curve, is not written: it could vouch for nobody.
    const { x509Authorities } = read.answer
    const told = x509Authorities.filter(
      ({ der }) => toJwk(parseCertificate(der).spki) !== undefined,
    )
    mustEqual('bundle', parseBundleDocument(formatBundleDocument(read.answer), trustDomain), {
      ...read.answer,
      x509Authorities: told,
    })
    toWireBundle(read.answer)
  },
}

const issuer: FuzzTarget = {
  name: 'document-jwks',
  oracle: 'no private half of a key is kept',
  seeds: [
    foreign.SPIRE_BUNDLE,
    '{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","d":"x","kid":"a"}]}',
  ].map(ofText),
  dictionary: [...JSON_WORDS, ...JWK_WORDS, '"d":"s"', '"dp"', '"qi"'],
  ...{ maxBytes: 4_096, share: 10 },
  run(input) {
    const read = answerOf(() => parseIssuerKeys(input.toString('utf8')))
    for (const { jwk } of read?.answer.keys ?? []) {
      if (jwk.d !== undefined || jwk.p !== undefined) throw broken('a private half is kept')
    }
  },
}

const LABELS: readonly PemLabel[] = [
  'CERTIFICATE',
  'PRIVATE KEY',
  'PUBLIC KEY',
  'CERTIFICATE REQUEST',
]
const pem: FuzzTarget = {
  name: 'document-pem',
  oracle: 'blocks that are read are written and read as the same',
  seeds: [
    foreign.SPIRE_BUNDLE_PEM,
    foreign.SPIRE_SVID,
    'x\n-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n',
  ].map(ofText),
  dictionary: [
    '-----BEGIN ',
    '-----END ',
    'CERTIFICATE',
    'PRIVATE KEY',
    '-----',
    '\r\n',
    '==',
    'AAAA',
  ],
  ...{ maxBytes: 8_192, share: 10 },
  run(input) {
    const text = input.toString('utf8')
    for (const label of LABELS) {
      const read = answerOf(() => fromPem(label, text))
      if (read === undefined) continue
      const again = fromPem(label, read.answer.map((der) => toPem(label, der)).join(''))
      mustEqual('blocks', again, read.answer)
    }
    const trusted = answerOf(() => parseBundlePem(text, trustDomain))
    if (trusted !== undefined)
      mustEqual(
        'bundle',
        parseBundlePem(formatBundlePem(trusted.answer), trustDomain),
        trusted.answer,
      )
  },
}

const key = await generateKey('ec-p256')
const NOW = new Date('2026-01-01T00:00:00Z')
const keyId = 'k1'
const trusted = {
  ...emptyBundle(trustDomain),
  jwtAuthorities: [{ keyId, publicKey: spkiOf(key), expiresAt: undefined, tainted: false }],
}
const bundles = new Map([[trustDomain, trusted]])
const token = await signJwtSvid({
  ...{ key, keyId, id: parseSpiffeId('spiffe://example.org/w'), audience: ['a'], issuedAt: NOW },
  expiresAt: new Date('2026-01-01T01:00:00Z'),
})
const keys = parseIssuerKeys(formatBundleDocument(trusted).replaceAll('"use": "jwt-svid",', ''))

const jwt: FuzzTarget = {
  name: 'document-jwt',
  oracle: 'jose reads the same claims; no token is believed but the one that was signed',
  seeds: [ofText(token), ofText(foreign.SPIRE_BUNDLE.slice(0, 40)), ofText('e30.e30.AA')],
  dictionary: ['eyJhbGciOiJub25lIn0', 'eyJhbGciOiJIUzI1NiJ9', '.', '==', 'e30', '_', '-', '+'],
  ...{ maxBytes: 2_048, share: 4 },
  async run(input) {
    const text = input.toString('utf8')
    const read = answerOf(() => parseJwtSvid(text))
    if (read !== undefined) mustEqual('claims', read.answer.claims, decodeJwt(text))
    const isOurs = text === token
    const seen = await verifyIssuedToken(text, { keys, audiences: ['a'], now: NOW })
    if (seen.kind === 'valid' && !isSameToken(text))
      throw broken('an issued token that nobody signed')
    if (read === undefined) return
    const believed = await verifyJwtSvid(text, { bundles, audience: 'a', now: NOW }).catch(
      refusalOrBug,
    )
    if (believed !== undefined && !isOurs) throw broken('an SVID that nobody signed')
  },
}

/** Issued tokens may be spelt in several ways: what counts is what was signed. */
const isSameToken = (text: string) =>
  text.slice(0, text.lastIndexOf('.')) === token.slice(0, token.lastIndexOf('.'))

function refusalOrBug(error: unknown): undefined {
  answerOf(() => {
    throw error
  })
}

const claims: FuzzTarget = {
  name: 'document-jwt-claims',
  oracle:
    'of tokens with a good signature only those for us, now, of our trust domain are believed',
  seeds: [
    ofText(
      '{"alg":"ES256","kid":"k1","typ":"JWT"}\n{"sub":"spiffe://example.org/w","aud":["a"],"exp":1767229200,"iat":1767225600}',
    ),
    ofText('{"alg":"none"}\n{"sub":"spiffe://other/w","aud":"a","exp":1e3,"nbf":-1}'),
  ],
  dictionary: [
    ...JSON_WORDS,
    '"alg"',
    '"ES256"',
    '"none"',
    '"HS256"',
    '"crit":["b64"]',
    '"b64":false',
    '"sub"',
    '"aud"',
    '"exp"',
    '"nbf"',
    '"iat"',
    '"typ"',
    '"kid"',
    'spiffe://',
  ],
  ...{ maxBytes: 1_024, share: 1 },
  async run(input) {
    const [header = '', ...payload] = input.toString('utf8').split('\n')
    const signed = [header, payload.join('\n')]
      .map((part) => ofText(part).toString('base64url'))
      .join('.')
    const signature = sign('sha256', ofText(signed), { key, dsaEncoding: 'ieee-p1363' })
    const text = `${signed}.${signature.toString('base64url')}`
    await verifyIssuedToken(text, { keys, audiences: ['a'], now: NOW })
    const svid = await verifyJwtSvid(text, { bundles, audience: 'a', now: NOW }).catch(refusalOrBug)
    if (svid === undefined) return
    const isGood =
      svid.id.startsWith('spiffe://example.org') &&
      svid.audience.includes('a') &&
      svid.expiresAt.getTime() >= NOW.getTime() - 60_000 &&
      svid.algorithm === 'ES256'
    if (!isGood) throw broken('a token is believed that should not be')
  },
}

export const targets: readonly FuzzTarget[] = [json, bundle, issuer, pem, jwt, claims]
