import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  bigintOf,
  bitStringOf,
  bitsOf,
  booleanOf,
  childrenOf,
  type Element,
  octetsOf,
  oidOf,
  readElement,
  readOnly,
  TAG,
  timeOf,
  walk,
} from '../../../spiffe/x509/der.ts'
import {
  bits,
  boolean,
  encode,
  integer,
  octets,
  oid,
  sequence,
  time,
} from '../../../spiffe/x509/der-write.ts'
import { refusalOf, survives } from '../refusal.ts'

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex')
const read = (hex: string) => readElement(bytes(hex))

test.for([
  ['', 'it ends early'],
  ['30', 'it ends early'],
  ['04 02 00', 'it ends early'],
  ['04 82 01', 'it ends early'],
  ['04 80 00 00', 'indefinite or oversized length'],
  ['04 84 00 00 00 01 00', 'indefinite or oversized length'],
  ['04 ff', 'indefinite or oversized length'],
  ['04 81 01 00', 'a length that is not minimal'],
  ['04 82 00 80', 'a length that is not minimal'],
  ['04 83 ff ff ff', 'longer than 1048576 bytes'],
  ['1f 01 00', 'multi-byte tag'],
] as const)('refuses the value %s', ([hex, why]) => {
  expect(refusalOf(() => read(hex))).toMatch('CERTIFICATE_MALFORMED: malformed DER: ')
  expect(refusalOf(() => read(hex))).toContain(why)
})

test('refuses bytes after the only value', () => {
  expect(refusalOf(() => readOnly(bytes('05 00 00'), TAG.null))).toContain('bytes follow its end')
})

test('refuses another tag than expected', () => {
  expect(refusalOf(() => readOnly(bytes('05 00'), TAG.sequence))).toContain(
    'tag 0x5, expected 0x30',
  )
})

test('refuses to look into a simple value', () => {
  expect(refusalOf(() => childrenOf(read('04 02 05 00')))).toContain('expected a constructed one')
})

test('refuses values nested without end', () => {
  let nested: Uint8Array = Buffer.alloc(0)
  for (let depth = 0; depth < 40; depth++) nested = sequence(nested)
  const dive = (element: Element): void => childrenOf(element).forEach(dive)
  expect(refusalOf(() => dive(readElement(nested)))).toContain('nested deeper than 16')
})

test('refuses more parts than any certificate has', () => {
  const many = sequence(...Array.from({ length: 1025 }, () => boolean(true)))
  expect(refusalOf(() => childrenOf(readElement(many)))).toContain('over 1024 parts')
})

test('a walk refuses what is missing, in another order, or too many', () => {
  const element = readElement(sequence(boolean(true), octets(bytes('01'))))
  expect(refusalOf(() => walk(element).take(TAG.octetString))).toContain('expected 0x4')
  expect(refusalOf(() => walk(element).end())).toContain('a value too many')
  const fields = walk(element)
  expect(fields.maybe(TAG.integer)).toBeUndefined()
  expect(fields.maybe(TAG.boolean)).toBeDefined()
  fields.take(TAG.octetString)
  fields.end()
  expect(refusalOf(() => fields.take(TAG.octetString))).toContain('lacks a value')
})

test.for([
  ['01 01 01', booleanOf],
  ['01 00', booleanOf],
  ['02 00', bigintOf],
  ['02 01 80', bigintOf],
  ['02 02 00 7f', bigintOf],
  ['03 00', bitsOf],
  ['03 01 01', bitsOf],
  ['03 02 08 00', bitsOf],
  ['03 02 03 ff', bitsOf],
  ['03 02 03 f8', bitStringOf],
  ['06 00', oidOf],
  ['06 02 2a 80', oidOf],
  ['06 03 2a 80 01', oidOf],
  ['06 09 2a ff ff ff ff ff ff ff 7f', oidOf],
  ['05 00', octetsOf],
  [`17 0d ${Buffer.from('261301000000Z').toString('hex')}`, timeOf],
  [`17 0d ${Buffer.from('260230000000Z').toString('hex')}`, timeOf],
  [`17 0d ${Buffer.from('260101240000Z').toString('hex')}`, timeOf],
  [`17 0b ${Buffer.from('2601010000Z').toString('hex')}`, timeOf],
  [`17 11 ${Buffer.from('260101000000+0100').toString('hex')}`, timeOf],
  [`18 0f ${Buffer.from('00500101000000Z').toString('hex')}`, timeOf],
  [`18 11 ${Buffer.from('20260101000000.5Z').toString('hex')}`, timeOf],
  [`04 0d ${Buffer.from('260101000000Z').toString('hex')}`, timeOf],
  [`04 0f ${Buffer.from('20260101000000Z').toString('hex')}`, timeOf],
  ['02 02 00 7f', bigintOf],
  ['01 02 ff ff', booleanOf],
] as const)('refuses the contents of %s', ([hex, readContents]) => {
  expect(refusalOf(() => readContents(read(hex)))).toMatch('CERTIFICATE_MALFORMED: ')
})

test.for([
  ['01 01 00', booleanOf, false],
  ['01 01 ff', booleanOf, true],
  ['02 01 00', bigintOf, 0n],
  ['02 02 00 80', bigintOf, 128n],
  ['02 02 01 00', bigintOf, 256n],
  ['03 01 00', (one: Element) => bitsOf(one).bytes.length, 0],
  ['03 02 07 80', (one: Element) => bitsOf(one).unused, 7],
  [
    `17 0d ${Buffer.from('500101000000Z').toString('hex')}`,
    (one: Element) => timeOf(one).getUTCFullYear(),
    1950,
  ],
  [
    `17 0d ${Buffer.from('491231235959Z').toString('hex')}`,
    (one: Element) => timeOf(one).getUTCFullYear(),
    2049,
  ],
] as const)('reads %s as it is meant', ([hex, readContents, expected]) => {
  expect(readContents(read(hex))).toBe(expected)
})

test('refuses an OID and an integer longer than any of ours', () => {
  const long = (tag: number, length: number) => readElement(encode(tag, Buffer.alloc(length, 1)))
  expect(refusalOf(() => oidOf(long(TAG.oid, 65)))).toContain('OID over 64 bytes')
  expect(refusalOf(() => oidOf(long(TAG.oid, 64)))).toBe('accepted')
  expect(refusalOf(() => bigintOf(long(TAG.integer, 1101)))).toContain('oversized integer')
  expect(refusalOf(() => bigintOf(long(TAG.integer, 1100)))).toBe('accepted')
})

test.for([
  ['2.999.3', '06 03 88 37 03'],
  ['1.2.840.113549.1.1.11', '06 09 2a 86 48 86 f7 0d 01 01 0b'],
  ['2.5.29.17', '06 03 55 1d 11'],
  ['0.39', '06 01 27'],
] as const)('reads and writes the OID %s as X.690 has it', ([dotted, hex]) => {
  expect(oidOf(read(hex))).toBe(dotted)
  expect(oid(dotted)).toEqual(bytes(hex))
})

test.for([
  ['1999-12-31T23:59:59.000Z', '17'],
  ['2049-12-31T23:59:59.000Z', '17'],
  ['2050-01-01T00:00:00.000Z', '18'],
  ['9999-12-31T23:59:59.000Z', '18'],
  ['1949-12-31T23:59:59.000Z', '18'],
  ['2028-02-29T00:00:00.000Z', '17'],
] as const)('writes %s with the tag RFC 5280 §4.1.2.5 demands, and reads it back', ([iso, tag]) => {
  const written = time(new Date(iso))
  expect(written.toString('hex', 0, 1)).toBe(tag)
  expect(timeOf(readElement(written)).toISOString()).toBe(iso)
})

test('a serial number is written minimal and positive', () => {
  expect(integer(bytes('00 00 80'))).toEqual(bytes('02 02 00 80'))
  expect(integer(bytes('00'))).toEqual(bytes('02 01 00'))
  expect(integer(bytes('7f'))).toEqual(bytes('02 01 7f'))
})

test('any integer, OID, octets and bits come back as they were written', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 70_000, size: 'medium' }), (any) => {
      const value = Buffer.from(any)
      expect(octetsOf(readElement(octets(value)))).toEqual(value)
      expect(bitStringOf(readElement(bits(value)))).toEqual(value)
      const short = value.subarray(0, 64)
      expect(bigintOf(readElement(integer(short)))).toBe(BigInt(`0x${short.toString('hex')}`))
    }),
    { numRuns: 50 },
  )
  const arcs = fc.tuple(
    fc.integer({ min: 0, max: 2 }),
    fc.integer({ min: 0, max: 39 }),
    fc.array(fc.nat(), { maxLength: 8 }),
  )
  fc.assert(
    fc.property(arcs, ([top, second, others]) => {
      const dotted = [top, second, ...others].join('.')
      expect(oidOf(readElement(oid(dotted)))).toBe(dotted)
    }),
  )
})

test.for([0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000, 0x10_0000])(
  'a value of %i bytes has a minimal length',
  (length) => {
    const element = readElement(encode(TAG.octetString, Buffer.alloc(length)))
    expect(element.value.length).toBe(length)
  },
)

test('arbitrary bytes are read or refused, never anything else', () => {
  const readAll = (element: Element): void => {
    for (const one of [booleanOf, bigintOf, bitsOf, bitStringOf, octetsOf, oidOf, timeOf]) {
      survives(() => one(element), 'CERTIFICATE_MALFORMED')
    }
    childrenOf(element).forEach(readAll)
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (any) => {
      survives(() => readAll(readElement(any)), 'CERTIFICATE_MALFORMED')
    }),
    { numRuns: 500 },
  )
})
