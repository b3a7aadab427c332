import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkEndpointUrl } from '../../../server/federation/endpoint-url.ts'
import { anyText } from '../../fakes/any-text.ts'

test.for([
  'https://other.org',
  'https://other.org:8443/bundle?x=1',
  'https://192.0.2.1/b',
  'https://[2001:db8::1]:8443/b',
])('%s may be a bundle endpoint, and stays as it is', (url) => {
  expect(checkEndpointUrl(url)).toBe(url)
})

test('the scheme is kept in lower case, whatever the rest is', () => {
  expect(checkEndpointUrl('HTTPS://Other.org/B')).toBe('https://Other.org/B')
})

test('a percent sign may stand alone in a query, not in a path', () => {
  expect(checkEndpointUrl('https://other.org/%41?100%')).toBe('https://other.org/%41?100%')
  expect(() => checkEndpointUrl('https://other.org/100%')).toThrow(
    'a percent sign begins no escape',
  )
  expect(() => checkEndpointUrl('https://other.org/%zz?')).toThrow(
    'a percent sign begins no escape',
  )
})

const SCHEME = 'bundle endpoint URL must use the https scheme'
const HOST = 'bundle endpoint URL must specify the host'
const USER = 'bundle endpoint URL must not contain user info'
const MALFORMED = 'failed to parse bundle endpoint URL: '

test.for([
  ['', SCHEME],
  ['http://other.org', SCHEME],
  ['other.org', SCHEME],
  ['//other.org', SCHEME],
  ['file:///etc/passwd', SCHEME],
  ['httpss://other.org', SCHEME],
  ['https:', HOST],
  ['https:other.org', HOST],
  ['https:/other.org', HOST],
  ['https://', HOST],
  ['https:///other.org', HOST],
  ['https://?x', HOST],
  ['https://user@other.org', USER],
  ['https://user:secret@other.org', USER],
  ['https://@other.org', USER],
  ['https://other.org:port', `${MALFORMED}its host or port is none`],
  ['https://other.org:65536', `${MALFORMED}its host or port is none`],
  ['https://[::1', `${MALFORMED}its host or port is none`],
  ['https://other.org\\@evil.org', `${MALFORMED}it has a character that no URL may have`],
  [' https://other.org', `${MALFORMED}it has a character that no URL may have`],
  ['https://other.org\n', `${MALFORMED}it has a character that no URL may have`],
  ['https://öther.org', `${MALFORMED}it has a character that no URL may have`],
  [`https://other.org/${'a'.repeat(2_048)}`, `${MALFORMED}it is longer than 2048 characters`],
] as const)('%j is refused as a bundle endpoint', ([url, message]) => {
  expect(() => checkEndpointUrl(url)).toThrow(
    expect.objectContaining({ code: 'REQUEST_INVALID', message }),
  )
})

const url = fc
  .record({
    scheme: fc.constantFrom('https', 'http', 'HTTPS', 'ftp'),
    authority: fc.webAuthority({ withPort: true, withIPv4: true, withIPv6: true }),
    path: anyText({ maxLength: 20 }).map(encodeURI),
  })
  .map(({ scheme, authority, path }) => `${scheme}://${authority}/${path}`)

test('whatever is let through names one host, over https and without user info', () => {
  const text = fc.oneof(
    url,
    fc.string(),
    fc.string().map((rest) => `https://${rest}`),
  )
  fc.assert(
    fc.property(text, (url) => {
      try {
        checkEndpointUrl(url)
      } catch (error) {
        expect(error).toMatchObject({ code: 'REQUEST_INVALID' })
        return
      }
      const { protocol, hostname, username, password } = new URL(url)
      expect({ protocol, username, password }).toEqual({
        protocol: 'https:',
        username: '',
        password: '',
      })
      expect(hostname).not.toBe('')
    }),
  )
})
