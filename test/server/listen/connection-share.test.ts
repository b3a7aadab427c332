import fc from 'fast-check'
import { expect, test } from 'vitest'
import { networkOf } from '../../../server/listen/connection-share.ts'

test.for([
  ['203.0.113.9', '203.0.113.9'],
  ['::ffff:203.0.113.9', '203.0.113.9'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
] as const)('%s belongs to %s', ([address, network]) => {
  expect(networkOf(address)).toBe(network)
})

test('addresses are of one network if, and only if, their first four groups are the same', () => {
  const group = fc.integer({ min: 0, max: 0xffff }).map((number) => number.toString(16))
  const groups = fc.array(group, { minLength: 8, maxLength: 8 })
  fc.assert(
    fc.property(groups, groups, (one, other) => {
      const mixed = [...one.slice(0, 4), ...other.slice(4)]
      const isMapped = (all: readonly string[]) => all.slice(0, 4).every((text) => text === '0')
      fc.pre(!isMapped(one) && !isMapped(other))
      expect(networkOf(mixed.join(':'))).toBe(networkOf(one.join(':')))
      const areSame = one.slice(0, 4).join() === other.slice(0, 4).join()
      expect(networkOf(one.join(':')) === networkOf(other.join(':'))).toBe(areSame)
    }),
  )
})

test('any text has some network', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.ipV6()), (text) => networkOf(text).length >= 0))
})
