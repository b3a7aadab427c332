import { expect, test } from 'vitest'
import { hasClientIp } from '../../../server/attest/client-ip.ts'

const certificate = {
  ipAddresses: [
    Buffer.of(192, 0, 2, 7),
    Buffer.from('20010db8000000000000000000000001', 'hex'),
    Buffer.from('00000000000000000000ffffc6336401', 'hex'),
  ],
}

test.for(['192.0.2.7', '::ffff:192.0.2.7', '2001:db8::1', '2001:0DB8:0::0001', '198.51.100.1'])(
  '%s is one of the addresses',
  (ip) => {
    expect(hasClientIp(certificate, ip)).toBe(true)
  },
)

test.for(['192.0.2.8', '2001:db8::2', '::1', '', 'localhost', '192.0.2.7:80', undefined])(
  '%s is none of them',
  (ip) => {
    expect(hasClientIp(certificate, ip)).toBe(false)
  },
)

test('a certificate without addresses is for nobody', () => {
  expect(hasClientIp({ ipAddresses: [] }, '192.0.2.7')).toBe(false)
})
