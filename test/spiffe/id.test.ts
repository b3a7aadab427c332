import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  isAgentId,
  isReserved,
  parseSpiffeId,
  parseTrustDomain,
  pathOf,
  serverId,
  spiffeId,
  trustDomainId,
  trustDomainOf,
} from '../../spiffe/id.ts'
import { refusalOf, survives } from './refusal.ts'

const domain = parseTrustDomain('example.org')

/** Which of all 256 bytes, put where `place` says, make a valid ID. */
const accepted = (place: (character: string) => string) =>
  Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte))
    .filter((character) => refusalOf(() => parseSpiffeId(place(character))) === 'accepted')
    .join('')

const LOWER = 'abcdefghijklmnopqrstuvwxyz'
const DIGITS = '0123456789'

test('of all bytes, a trust domain takes lower-case letters, digits, dot, dash and underscore', () => {
  expect(accepted((one) => `spiffe://a${one}b/path`)).toBe(`-.${'/'}${DIGITS}_${LOWER}`)
  expect(accepted((one) => `spiffe://${one}/path`)).toBe(`-.${DIGITS}_${LOWER}`)
})

test('of all bytes, a path segment takes letters, digits, dot, dash and underscore', () => {
  const segment = `-.${'/'}${DIGITS}${LOWER.toUpperCase()}_${LOWER}`
  expect(accepted((one) => `spiffe://example.org/a${one}b`)).toBe(segment)
  expect(accepted((one) => `spiffe://example.org/${one}`)).toBe(segment.replace(/[./]/g, ''))
})

test('of all bytes, none may stand before the scheme or after a complete ID without being part of it', () => {
  expect(accepted((one) => `${one}spiffe://example.org/a`)).toBe('')
  expect(accepted((one) => `spiffe:/${one}example.org/a`)).toBe('/')
})

test.for([
  ['', 'it is empty'],
  ['example.org/a', 'scheme is missing or invalid'],
  ['http://example.org/a', 'scheme is missing or invalid'],
  ['SPIFFE://example.org/a', 'scheme is missing or invalid'],
  ['spiffe:example.org/a', 'scheme is missing or invalid'],
  ['spiffe://', 'trust domain is missing'],
  ['spiffe:///path', 'trust domain is missing'],
  ['spiffe://Example.org/a', 'trust domain characters'],
  ['spiffe://user@example.org/a', 'trust domain characters'],
  ['spiffe://example.org:443/a', 'trust domain characters'],
  ['spiffe://exämple.org/a', 'trust domain characters'],
  ['spiffe://[::1]/a', 'trust domain characters'],
  ['spiffe://example.org%2f/a', 'trust domain characters'],
  [`spiffe://${'a'.repeat(256)}/a`, 'trust domain is longer than 255 bytes'],
  ['spiffe://example.org/', 'path cannot have empty segments or a trailing slash'],
  ['spiffe://example.org//', 'path cannot have empty segments or a trailing slash'],
  ['spiffe://example.org/a/', 'path cannot have empty segments or a trailing slash'],
  ['spiffe://example.org/a//b', 'path cannot have empty segments or a trailing slash'],
  ['spiffe://example.org/.', 'path cannot contain dot segments'],
  ['spiffe://example.org/a/../b', 'path cannot contain dot segments'],
  ['spiffe://example.org/a%20b', 'path segment characters'],
  ['spiffe://example.org/a?b=c', 'path segment characters'],
  ['spiffe://example.org?b=c', 'trust domain characters'],
  ['spiffe://example.org/a#b', 'path segment characters'],
  ['spiffe://example.org/ä', 'path segment characters'],
  [`spiffe://example.org/${'a'.repeat(2048)}`, 'longer than 2048 bytes'],
] as const)('refuses the ID %s', ([text, why]) => {
  expect(refusalOf(() => parseSpiffeId(text))).toMatch(`SPIFFE_ID_INVALID: not a SPIFFE ID: `)
  expect(refusalOf(() => parseSpiffeId(text))).toContain(why)
})

test.for([
  ['spiffe://example.org', 'example.org', ''],
  ['spiffe://example.org/a', 'example.org', '/a'],
  ['spiffe://1.2.3.4/ns/x/sa/y', '1.2.3.4', '/ns/x/sa/y'],
  ['spiffe://a_b-c/...', 'a_b-c', '/...'],
  ['spiffe://example.org/A.b-C_9', 'example.org', '/A.b-C_9'],
] as const)('takes %s apart', ([text, trustDomain, path]) => {
  const id = parseSpiffeId(text)
  expect([trustDomainOf(id), pathOf(id)]).toEqual([trustDomain, path])
  expect(spiffeId(trustDomainOf(id), pathOf(id))).toBe(text)
})

test.for(['', 'Example.org', 'example.org/', 'spiffe://example.org/a', 'spiffe://', 'a b', '*'])(
  'refuses the trust domain %j',
  (text) => {
    expect(refusalOf(() => parseTrustDomain(text))).toMatch('TRUST_DOMAIN_INVALID: ')
  },
)

test('a trust domain of 255 bytes is taken', () => {
  expect(parseTrustDomain('a'.repeat(255))).toBe('a'.repeat(255))
})

test('a trust domain may be given by its name or by its ID', () => {
  expect(parseTrustDomain('spiffe://example.org')).toBe(domain)
  expect(trustDomainId(domain)).toBe('spiffe://example.org')
})

test('a message about a giant ID quotes only its beginning', () => {
  expect(refusalOf(() => parseSpiffeId('x'.repeat(1_000_000))).length).toBeLessThan(400)
})

test.for([
  ['spiffe://example.org/spire', true, false],
  ['spiffe://example.org/spire/server', true, false],
  ['spiffe://example.org/spire/agent/join_token/x', true, true],
  ['spiffe://example.org/spires', false, false],
  ['spiffe://example.org/a/spire/agent/x', false, false],
  ['spiffe://example.org', false, false],
] as const)('knows whether %s is reserved, and whether it is an agent', ([text, ...expected]) => {
  const id = parseSpiffeId(text)
  expect([isReserved(id), isAgentId(id)]).toEqual(expected)
  expect(isReserved(serverId(trustDomainOf(id)))).toBe(true)
})

test('any text is an ID or refused as one, and an ID is made of its two parts', () => {
  const anyUnit = fc.nat(0xffff).map((code) => String.fromCharCode(code))
  const nearly = fc.tuple(
    fc.constantFrom('spiffe://', 'spiffe:/', ''),
    fc.string({ unit: anyUnit }),
  )
  fc.assert(
    fc.property(nearly, ([scheme, rest]) => {
      survives(() => {
        const id = parseSpiffeId(scheme + rest)
        expect(spiffeId(trustDomainOf(id), pathOf(id))).toBe(id)
      }, 'SPIFFE_ID_INVALID')
    }),
  )
})
