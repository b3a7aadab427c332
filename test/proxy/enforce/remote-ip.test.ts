import { expect, test } from 'vitest'
import { remoteIpOf } from '../../../proxy/enforce/remote-ip.ts'

test.each([
  [['1.1.1.1, 2.2.2.2, 3.3.3.3'], 1, '3.3.3.3'],
  [['1.1.1.1, 2.2.2.2, 3.3.3.3'], 2, '2.2.2.2'],
  [['1.1.1.1', '2.2.2.2,3.3.3.3'], 3, '1.1.1.1'],
  [['[2001:db8::1]'], 1, '2001:db8::1'],
  [['2001:db8::1'], 1, '2001:db8::1'],
])('of %j the entry of %d trusted hops is %s', (lines, hops, ip) => {
  expect(remoteIpOf(lines, hops, '10.0.0.1')).toBe(ip)
})

test.each([
  ['nobody is trusted', ['1.1.1.1'], 0],
  ['nothing was sent', [], 1],
  ['there are fewer entries than hops', ['1.1.1.1'], 2],
  ['the entry is no address', ['1.1.1.1, unknown'], 1],
  ['the entry has a port', ['1.1.1.1:80'], 1],
  ['the entry is empty', ['1.1.1.1,'], 1],
])('the direct peer counts when %s', (_, lines, hops) => {
  expect(remoteIpOf(lines, hops, '10.0.0.1')).toBe('10.0.0.1')
})
