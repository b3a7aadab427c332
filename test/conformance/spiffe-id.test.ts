/** SPIFFE-ID: each requirement that an issuer or validator must meet, by its number in the checklist. */
import { expect, test } from 'vitest'
import { parseSpiffeId, parseTrustDomain, trustDomainOf } from '../../spiffe/id.ts'
import { parseJwtSvid } from '../../spiffe/jwt/jwt-svid.ts'
import { signJwtSvid } from '../../spiffe/jwt/sign.ts'
import { verifyJwtSvid } from '../../spiffe/jwt/verify.ts'
import { generateKey, spkiOf } from '../../spiffe/key.ts'
import { createCaCertificate } from '../../spiffe/x509/ca-certificate.ts'
import { parseCertificate } from '../../spiffe/x509/certificate.ts'
import { verifyX509Svid } from '../../spiffe/x509/verify.ts'
import { TEST_NOW, testCa } from '../fakes/ca.ts'
import { refusalOf, refusalOfAsync } from '../spiffe/refusal.ts'

const refused = (text: string) => expect(refusalOf(() => parseSpiffeId(text))).toMatch('INVALID')
const accepted = (text: string) => expect(parseSpiffeId(text)).toBe(text)

test('ID-1 §2: the scheme is spiffe, the trust domain is not empty, query and fragment are refused', () => {
  accepted('spiffe://example.org/a')
  for (const text of [
    'https://example.org/a',
    'spiffe:///a',
    'spiffe://example.org/a?q=1',
    'spiffe://example.org/a?',
    'spiffe://example.org/a#f',
    'spiffe://example.org/a#',
  ]) {
    refused(text)
  }
})

test('ID-2 §2.1: user info and port are refused', () => {
  refused('spiffe://user@example.org/a')
  refused('spiffe://user:pass@example.org/a')
  refused('spiffe://example.org:8443/a')
  refused('spiffe://example.org:/a')
})

test('ID-3 §2.1: the trust domain has lower-case letters, digits, dot, dash and underscore alone', () => {
  accepted('spiffe://a-b_c.1/x')
  for (const bad of ['A', '%61', 'ä', 'a b', 'a~', 'a!', "a'", 'a*']) refused(`spiffe://${bad}/x`)
})

test('ID-4 §2.1: a trust domain that looks like an address is treated like any other', () => {
  for (const name of ['10.0.0.1', '999.999.999.999', 'localhost', 'a', '-', '1']) {
    expect(trustDomainOf(parseSpiffeId(`spiffe://${name}/x`))).toBe(name)
    expect(parseTrustDomain(name)).toBe(name)
  }
})

test('ID-5 §2.2: a path has no percent-encoding, no empty or dot segment and no trailing slash', () => {
  accepted('spiffe://example.org/a/b/...')
  for (const path of [
    '/',
    '/a/',
    '//a',
    '/a//b',
    '/.',
    '/a/..',
    '/../a',
    '/a/./b',
    '/%61',
    '/a%2fb',
  ]) {
    refused(`spiffe://example.org${path}`)
  }
})

test('ID-6 §2.2: segments have letters, digits, dot, dash and underscore alone', () => {
  accepted('spiffe://example.org/AZaz09.-_')
  for (const bad of ['a b', 'a:b', 'a@b', 'a+b', 'a~b', 'a,b', 'ä', 'a\\b', 'a\nb']) {
    refused(`spiffe://example.org/${bad}`)
  }
})

test('ID-7 §2.3: an ID of 2048 bytes is taken, a longer one is not', () => {
  const prefix = 'spiffe://example.org/'
  accepted(prefix + 'a'.repeat(2048 - prefix.length))
  refused(prefix + 'a'.repeat(2049 - prefix.length))
})

test('ID-9 §3: the authority of a trust domain carries an SVID with its ID and no path', async () => {
  const trustDomain = parseTrustDomain('example.org')
  const certificate = await createCaCertificate({
    key: await generateKey('ec-p256'),
    trustDomain,
    subject: { country: ['US'], organization: ['SPIFFE'], commonName: undefined },
    notBefore: TEST_NOW,
    notAfter: new Date(TEST_NOW.getTime() + 1000),
    serial: Buffer.of(1),
  })
  expect(parseCertificate(certificate).uriSans).toEqual(['spiffe://example.org'])
})

test('ID-10 §3: ID and public key lie in the signed part of an SVID', async () => {
  const ca = await testCa()
  const { chain, key } = await ca.leaf('/a')
  const [leaf = new Uint8Array()] = chain
  for (const part of [Buffer.from('example.org/a'), spkiOf(key)]) {
    const changed = Buffer.from(leaf)
    const at = changed.indexOf(part) + part.length - 1
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(
      refusalOf(() => verifyX509Svid({ chain: [changed], bundle: ca.bundle, now: TEST_NOW })),
    ).toMatch('CERTIFICATE_UNTRUSTED')
  }
  const jwtKey = await generateKey('ec-p256')
  const token = await signJwtSvid({
    key: jwtKey,
    keyId: 'k',
    id: parseSpiffeId('spiffe://example.org/a'),
    audience: ['b'],
    issuedAt: TEST_NOW,
    expiresAt: new Date(TEST_NOW.getTime() + 1000),
  })
  const [header, claims = '', signature] = token.split('.')
  const other = Buffer.from(claims, 'base64url').toString().replace('org/a', 'org/b')
  const changed = [header, Buffer.from(other).toString('base64url'), signature].join('.')
  const publicKey = spkiOf(jwtKey)
  const authority = { keyId: 'k', publicKey, expiresAt: undefined, tainted: false }
  const bundles = new Map([[ca.trustDomain, { ...ca.bundle, jwtAuthorities: [authority] }]])
  const verify = (text: string) =>
    refusalOfAsync(() => verifyJwtSvid(text, { bundles, audience: 'b', now: TEST_NOW }))
  expect([await verify(token), await verify(changed)]).toEqual([
    'accepted',
    'JWT_SVID_INVALID: token signature is not valid',
  ])
})

test('ID-11 §3: only the defined documents are SVIDs', () => {
  const token = (typ: string) =>
    [{ alg: 'ES256', typ }, { sub: 'spiffe://example.org/a', aud: 'b', exp: 2e9 }, 's']
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.')
  for (const typ of ['wit+jwt', 'at+jwt', 'secevent+jwt', 'passport']) {
    expect(refusalOf(() => parseJwtSvid(token(typ)))).toContain('not equal to either JWT or JOSE')
  }
})
