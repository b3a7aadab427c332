import fc from 'fast-check'
import { expect, test } from 'vitest'
import { plainIp } from '../../../server/listen/plain-ip.ts'
import { parseProxyHeader } from '../../../server/listen/proxy-protocol.ts'

const text = (line: string) => Buffer.from(line, 'latin1')
const SIGNATURE = text('\r\n\r\n\0\r\nQUIT\n')

function binary(command: number, family: number, body: Buffer): Buffer {
  const fixed = Buffer.alloc(4)
  fixed.writeUInt8(command, 0)
  fixed.writeUInt8(family, 1)
  fixed.writeUInt16BE(body.length, 2)
  return Buffer.concat([SIGNATURE, fixed, body])
}

const ipv4 = Buffer.from('c0000201c6336407dead01bb', 'hex')
const ipv6 = Buffer.concat([
  Buffer.from('20010db8000000000000000000000001', 'hex'),
  Buffer.alloc(16),
  Buffer.from('dead01bb', 'hex'),
])

test.for([
  ['TCP4', text('PROXY TCP4 192.0.2.1 198.51.100.7 57005 443\r\n'), '192.0.2.1'],
  ['TCP6', text('PROXY TCP6 2001:db8:0::1 ::1 57005 443\r\n'), '2001:db8::1'],
  [
    'TCP6 of a mapped IPv4 address',
    text('PROXY TCP6 ::ffff:192.0.2.1 ::1 57005 1\r\n'),
    '192.0.2.1',
  ],
  ['binary IPv4', binary(0x21, 0x11, ipv4), '192.0.2.1'],
  ['binary IPv6', binary(0x21, 0x21, ipv6), '2001:db8::1'],
  [
    'binary with extensions',
    binary(0x21, 0x11, Buffer.concat([ipv4, Buffer.alloc(60)])),
    '192.0.2.1',
  ],
] as const)('a header of version 1 or 2 says whom it passes on: %s', ([, bytes, ip]) => {
  const header = { kind: 'header', bytes: bytes.length, source: { ip, port: 57_005 } }
  expect(parseProxyHeader(bytes)).toEqual(header)
  expect(parseProxyHeader(Buffer.concat([bytes, Buffer.of(0x16, 3, 1)]))).toEqual(header)
})

test.for([
  ['UNKNOWN', text('PROXY UNKNOWN\r\n')],
  ['UNKNOWN with addresses', text('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n')],
  ['LOCAL', binary(0x20, 0x00, Buffer.alloc(0))],
  ['LOCAL with an address', binary(0x20, 0x11, ipv4)],
  ['a Unix socket', binary(0x21, 0x31, Buffer.alloc(216))],
] as const)('a balancer may name nobody, and then the connection is its own: %s', ([, bytes]) => {
  expect(parseProxyHeader(bytes)).toEqual({
    kind: 'header',
    bytes: bytes.length,
    source: undefined,
  })
})

test.for([
  ['another family', text('PROXY UDP4 192.0.2.1 198.51.100.7 1 2\r\n')],
  ['small letters', text('PROXY tcp4 192.0.2.1 198.51.100.7 1 2\r\n')],
  ['an IPv6 address as IPv4', text('PROXY TCP4 ::1 ::1 1 2\r\n')],
  ['an IPv4 address as IPv6', text('PROXY TCP6 192.0.2.1 198.51.100.7 1 2\r\n')],
  ['a name', text('PROXY TCP4 localhost localhost 1 2\r\n')],
  ['a port above 65535', text('PROXY TCP4 192.0.2.1 198.51.100.7 65536 2\r\n')],
  ['a port with a zero before it', text('PROXY TCP4 192.0.2.1 198.51.100.7 01 2\r\n')],
  ['a missing port', text('PROXY TCP4 192.0.2.1 198.51.100.7 1\r\n')],
  ['two spaces', text('PROXY TCP4  192.0.2.1 198.51.100.7 1 2\r\n')],
  ['something more', text('PROXY TCP4 192.0.2.1 198.51.100.7 1 2 3\r\n')],
  ['no end', text(`PROXY TCP4 ${'1'.repeat(200)}`)],
  ['another version', binary(0x11, 0x11, ipv4)],
  ['another command', binary(0x22, 0x11, ipv4)],
  ['too few bytes for IPv4', binary(0x21, 0x11, ipv4.subarray(1))],
  ['too few bytes for IPv6', binary(0x21, 0x21, ipv6.subarray(1))],
  ['a body without bound', binary(0x21, 0x11, Buffer.alloc(4097))],
] as const)('a header that cannot be read is malformed: %s', ([, bytes]) => {
  expect(parseProxyHeader(bytes).kind).toBe('malformed')
})

test('whatever else a connection begins with is no header', () => {
  for (const bytes of [Buffer.of(0x16, 3, 1), text('GET / HTTP/1.1\r\n'), text('PROXX')]) {
    expect(parseProxyHeader(bytes)).toEqual({ kind: 'none' })
  }
})

test('no byte before the last one decides', () => {
  const headers = [
    text('PROXY TCP4 192.0.2.1 198.51.100.7 57005 443\r\n'),
    binary(0x21, 0x21, ipv6),
    binary(0x20, 0x00, Buffer.alloc(0)),
  ]
  for (const header of headers) {
    for (let length = 0; length < header.length; length++) {
      expect(parseProxyHeader(header.subarray(0, length))).toEqual({ kind: 'more' })
    }
  }
})

test('never takes more than is there, and never waits for ever, whatever is sent', () => {
  const start = fc.constantFrom(Buffer.alloc(0), text('PROXY '), text('PROXY TCP4 '), SIGNATURE)
  const bytes = fc
    .tuple(start, fc.uint8Array({ maxLength: 300 }))
    .map((parts) => Buffer.concat(parts))
  fc.assert(
    fc.property(bytes, (sent) => {
      const header = parseProxyHeader(sent)
      if (header.kind === 'header') expect(header.bytes).toBeLessThanOrEqual(sent.length)
      expect(parseProxyHeader(Buffer.concat([sent, Buffer.alloc(5000)])).kind).not.toBe('more')
    }),
  )
})

test('reads any address that a balancer writes', () => {
  const address = fc.record({ ip: fc.ipV6(), port: fc.integer({ min: 0, max: 65_535 }) })
  fc.assert(
    fc.property(address, ({ ip, port }) => {
      const line = text(`PROXY TCP6 ${ip} ::1 ${port} 1\r\n`)
      expect(parseProxyHeader(line)).toMatchObject({ source: { ip: plainIp(ip), port } })
    }),
  )
})

test.for([
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['::FFFF:0a00:0001', '10.0.0.1'],
  ['2001:0DB8:0:0::1', '2001:db8::1'],
  ['fe80::1%eth0', 'fe80::1%eth0'],
  ['10.0.0.1', '10.0.0.1'],
  ['', ''],
] as const)('a client has one name: %s is %s', ([address, plain]) => {
  expect(plainIp(address)).toBe(plain)
})
