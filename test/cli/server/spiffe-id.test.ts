/** SPIFFE IDs of flags, refused in the words of spire-server 1.15.3. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readId, readTrustDomain, toParts } from '../../../cli/server/spiffe-id.ts'
import { refusalOf } from '../refusal.ts'

test.for([
  ['', 'cannot be empty'],
  ['nope', 'scheme is missing or invalid'],
  ['SPIFFE://a', 'scheme is missing or invalid'],
  ['spiffe:///a', 'trust domain is missing'],
  [
    'spiffe://A',
    'trust domain characters are limited to lowercase letters, numbers, dots, dashes, and underscores',
  ],
  ['spiffe://a/b/', 'path cannot have a trailing slash'],
  ['spiffe://a//b', 'path cannot contain empty segments'],
  ['spiffe://a/../b', 'path cannot contain dot segments'],
  [
    'spiffe://a/%62',
    'path segment characters are limited to letters, numbers, dots, dashes, and underscores',
  ],
] as const)('refuses the ID "%s": %s', ([text, why]) => {
  expect(refusalOf(() => readId(text))).toBe(why)
})

test('takes an ID apart as the protocol wants it', () => {
  expect(toParts(readId('spiffe://a.b/c/d'))).toEqual({ trust_domain: 'a.b', path: '/c/d' })
  expect(toParts(readId('spiffe://a.b'))).toEqual({ trust_domain: 'a.b', path: '' })
})

test.for([
  ['td.x', 'td.x'],
  ['spiffe://td.x', 'td.x'],
  ['spiffe://td.x/path', 'td.x'],
] as const)('reads the trust domain of "%s"', ([text, name]) => {
  expect(readTrustDomain(text)).toBe(name)
})

test.for([
  ['', 'trust domain is missing'],
  [
    'bad dom',
    'trust domain characters are limited to lowercase letters, numbers, dots, dashes, and underscores',
  ],
  ['http://td.x', 'scheme is missing or invalid'],
] as const)('refuses the trust domain "%s": %s', ([text, why]) => {
  expect(refusalOf(() => readTrustDomain(text))).toBe(why)
})

test('never repeats what it refuses before it says why', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        readId(text)
      } catch (error) {
        expect(String(error)).not.toContain('not a SPIFFE ID')
      }
    }),
  )
})
