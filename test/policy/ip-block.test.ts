import { isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  blockHolds,
  blockKey,
  type IpAddress,
  type IpBlock,
  parseIpAddress,
  parseIpBlock,
} from '../../policy/ip-block.ts'

const address = (text: string): IpAddress => {
  const parsed = parseIpAddress(text)
  if (parsed === undefined) throw new Error(`not an address: ${text}`)
  return parsed
}
const block = (text: string): IpBlock => {
  const parsed = parseIpBlock(text)
  if (parsed === undefined) throw new Error(`not a block: ${text}`)
  return parsed
}

describe('parseIpAddress', () => {
  test.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    '1.2.3.04',
    '1..2.3',
    '.1.2.3',
    '1.2.3.',
    '1.2.3.4 ',
    '0x1.2.3.4',
    ':',
    ':::',
    '1::2::3',
    '12345::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    'fe80::1%eth0',
    '1.2.3.4::',
    '::1.2.3.256',
    'x',
  ])('refuses %j', (text) => {
    expect(parseIpAddress(text)).toBeUndefined()
  })

  test('reads what the network library calls an address, and nothing else', () => {
    const texts = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.string({ unit: fc.constantFrom('0', '1', '9', 'f', ':', '.', '::'), maxLength: 20 }),
    )
    fc.assert(
      fc.property(texts, (text) => {
        expect(parseIpAddress(text) !== undefined).toBe(isIP(text) !== 0)
      }),
      { numRuns: 2_000 },
    )
  })

  test('takes an IPv4 address inside IPv6 for that IPv4 address', () => {
    expect(parseIpAddress('::ffff:10.1.2.3')).toEqual(parseIpAddress('10.1.2.3'))
    expect(parseIpAddress('::ffff:a01:203')).toEqual(parseIpAddress('10.1.2.3'))
  })
})

describe('blocks', () => {
  test.each([
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '::/129',
    '10.0.0.0/8/8',
    '/8',
    'a/8',
    '::ffff:10.0.0.0/8',
  ])('refuses %s', (text) => {
    expect(parseIpBlock(text)).toBeUndefined()
  })

  test.each([
    ['10.1.0.0/16', '10.1.255.255', true],
    ['10.1.0.0/16', '10.2.0.0', false],
    ['10.1.9.9/16', '10.1.0.1', true],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '10.1.2.3', false],
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3', '10.1.2.4', false],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['::ffff:10.1.0.0/112', '10.1.7.7', true],
  ])('%s and %s: %s', (text, ip, holds) => {
    expect(blockHolds(block(text), address(ip))).toBe(holds)
  })

  test('an address has the key of each block that holds it, and of no other', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.nat(32), (one, other, bits) => {
        const around = block(`${one}/${bits}`)
        const same = blockKey(address(other), bits) === blockKey(around, bits)
        expect(same).toBe(blockHolds(around, address(other)))
      }),
    )
  })
})
