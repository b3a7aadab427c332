import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromPem, toPem } from '../../../spiffe/x509/pem.ts'
import { refusalOf, survives } from '../refusal.ts'

const GOOD = toPem('CERTIFICATE', Buffer.from('some bytes'))

test.for([
  ['no text at all', '', 'no block "CERTIFICATE"'],
  ['text without a block', 'hello', 'no block "CERTIFICATE"'],
  ['a private key', toPem('PRIVATE KEY', Buffer.from('x')), 'a block "PRIVATE KEY", expected'],
  ['a key after a certificate', GOOD + toPem('PRIVATE KEY', Buffer.from('x')), '"PRIVATE KEY"'],
  ['a block without an end', GOOD.slice(0, -10), 'cut off'],
  ['a block that ends as another', GOOD.replace('END CERTIFICATE', 'END PUBLIC KEY'), 'cut off'],
  ['a broken first line', '-----BEGIN CERTIFICATE', 'broken BEGIN line'],
  ['a label in lower case', '-----BEGIN certificate-----\n', 'broken BEGIN line'],
  ['an empty block', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----', 'not base64'],
  ['other characters', GOOD.replace('c', '!'), 'not base64'],
  ['headers', GOOD.replace('-----\n', '-----\nProc-Type: 4,ENCRYPTED\n\n'), 'not base64'],
  ['too much padding', GOOD.replace('==', '==='), 'not base64'],
  ['a giant text', 'x'.repeat(5_000_000), 'longer than 4194304 bytes'],
] as const)('refuses %s', ([, text, why]) => {
  expect(refusalOf(() => fromPem('CERTIFICATE', text))).toMatch(
    'CERTIFICATE_MALFORMED: malformed PEM',
  )
  expect(refusalOf(() => fromPem('CERTIFICATE', text))).toContain(why)
})

test('reads several blocks, with text around them and any line ends', () => {
  const text = `subject=CN=a\n${GOOD}\nsubject=CN=b\r\n${GOOD.replaceAll('\n', '\r\n')}trailing`
  expect(fromPem('CERTIFICATE', text).map(String)).toEqual(['some bytes', 'some bytes'])
})

test('writes lines of 64 characters', () => {
  const lines = toPem('CERTIFICATE', Buffer.alloc(100)).trimEnd().split('\n')
  expect(lines.map(({ length }) => length)).toEqual([27, 64, 64, 8, 25])
})

test('any bytes come back, and any text is read or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.string(), (der, noise) => {
      expect(fromPem('CERTIFICATE', toPem('CERTIFICATE', der))[0]).toEqual(Buffer.from(der))
      const cut = GOOD.slice(noise.length) + noise + GOOD
      survives(() => fromPem('CERTIFICATE', cut), 'CERTIFICATE_MALFORMED')
    }),
  )
})
