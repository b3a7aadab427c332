import { expect, test } from 'vitest'
import { encode, oid, sequence, set } from '../../../spiffe/x509/der-write.ts'
import { encodeName } from '../../../spiffe/x509/name.ts'
import { nameText } from '../../../spiffe/x509/name-text.ts'

test('the last part comes first, with the short names that Go has', () => {
  const name = encodeName({
    country: ['US'],
    organization: ['SPIFFE'],
    commonName: 'root',
    serialNumber: '7',
  })
  expect(nameText(name)).toBe('SERIALNUMBER=7,CN=root,O=SPIFFE,C=US')
})

test('several values in one part are joined by a plus, and no part at all is the empty text', () => {
  expect(nameText(encodeName({ organization: ['A', 'B'] }))).toBe('O=A+O=B')
  expect(nameText(encodeName({}))).toBe('')
})

test.for([
  ['a,b', 'a\\,b'],
  ['a+b=c', 'a\\+b=c'],
  ['"x" \\ <y>;', '\\"x\\" \\\\ \\<y\\>\\;'],
  [' a ', '\\ a\\ '],
  ['#a#', '\\#a#'],
  ['ünï', 'ünï'],
] as const)('the common name %j is written %s', ([commonName, text]) => {
  expect(nameText(encodeName({ commonName }))).toBe(`CN=${text}`)
})

test('what has no short name or is no text stands there in hexadecimal', () => {
  const utf8 = encode(0x0c, Buffer.from('x'))
  const octets = encode(0x04, Buffer.of(1))
  const name = sequence(set(sequence(oid('1.2.3.4'), utf8)), set(sequence(oid('2.5.4.3'), octets)))
  expect(nameText(name)).toBe('CN=#040101,1.2.3.4=#0c0178')
})
