import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkDnsName } from '../../../server/entries/dns-name.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { anyText } from '../../fakes/any-text.ts'

const label = (length: number) => 'x'.repeat(length)
/** 28 labels of eight letters and one of `length`: 252 bytes and the last label. */
const name = (length: number) => `${'abcdefgh.'.repeat(28)}${label(length)}`

test.for([
  ['an empty name', '', 'empty or only whitespace'],
  ['blanks only', '  ', 'empty or only whitespace'],
  ['a lone wildcard', '*', 'wildcard must be first label'],
  ['a wildcard with nothing behind it', '*.', 'empty or only whitespace'],
  ['a wildcard at the end', 'a.*', 'wildcard must be first label'],
  ['a wildcard inside a label', 'a*.b', 'wildcard must be first label'],
  ['a partial first label', '*a.b', 'wildcard must be first label'],
  ['two wildcards', '*.*.a', 'too many wildcards'],
  ['letters beyond ASCII', 'é.example', 'name must be ascii'],
  ['a trailing dot', 'a.', 'domain ends with dot'],
  ['a leading dot', '.a', 'idna error: invalid label ""'],
  ['an empty label', 'a..b', 'idna error: invalid label ""'],
  ['a leading hyphen', '-a.b', 'idna error: invalid label "-a"'],
  ['a trailing hyphen', 'a-.b', 'idna error: invalid label "a-"'],
  ['hyphens in places three and four', 'ab--cd.com', 'idna error: invalid label "ab--cd"'],
  ['punycode that decodes to nothing', 'xn--', 'idna error: invalid label "xn--"'],
  ['punycode of a control character', 'xn--a', 'idna error: invalid label "xn--a"'],
  ['punycode of a forbidden character', 'xn--a-ecp.ru', 'idna error: invalid label "xn--a-ecp"'],
  ['a label of 64 bytes', `${label(64)}.com`, `idna error: invalid label "${label(64)}"`],
  ['a name of 254 bytes', name(2), 'idna error: the name is longer than 253 bytes'],
  ['a blank, which SPIRE takes', 'a b', 'idna error: invalid label "a b"'],
  ['a slash, which SPIRE takes', 'a/b', 'idna error: invalid label "a/b"'],
  ['a leading blank, which SPIRE takes', ' a', 'idna error: invalid label " a"'],
  ['a zero byte, which SPIRE takes', 'a\0b', 'idna error: invalid label "a\\u0000b"'],
] as const)('refuses %s', ([, text, message]) => {
  expect(() => checkDnsName(text)).toThrow(new IdentityError('ENTRY_INVALID', message))
})

test.for([
  'localhost',
  'cart.shop.svc.cluster.local',
  'A.b',
  'a_b.c',
  '_grpc._tcp.shop',
  '1.2.3.4',
  'xn--nxasmq6b.com',
  'a-b--c.example',
  '*.a',
  '*.com',
  `${label(63)}.com`,
  name(1),
  `*.${name(1)}`,
])('takes %s', (text) => {
  expect(() => checkDnsName(text)).not.toThrow()
})

test('of all characters, only letters, digits, hyphen, underscore and dot pass inside a name', () => {
  const passing = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).filter(
    (character) => {
      try {
        checkDnsName(`a${character}a`)
        return true
      } catch {
        return false
      }
    },
  )
  expect(passing.join('')).toBe('-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz')
})

test('any text is taken or refused by an IdentityError', () => {
  fc.assert(
    fc.property(anyText(), (text) => {
      try {
        checkDnsName(text)
        expect(text).toMatch(/^(?:\*\.)?[A-Za-z0-9_.-]+$/)
      } catch (error) {
        expect(error).toBeInstanceOf(IdentityError)
      }
    }),
  )
})
