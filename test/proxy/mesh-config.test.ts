import { expect, test } from 'vitest'
import { readProxyConfig } from '../../proxy/config.ts'

const read = (settings: string) =>
  readProxyConfig({
    ...{ path: 'proxy.conf', text: `proxy {\n${settings}\n}`, flags: {}, env: {} },
    readText: () => '',
  })

test('tunnels and capture have the field’s ports, and take mutual TLS alone without policies', () => {
  const { hbone, capture, destinations } = read('hbone { listen = "[::]:15008" }  capture {}')
  expect(hbone).toMatchObject({ listen: { host: '::', port: 15_008 }, addresses: [] })
  expect(capture).toMatchObject({
    ...{ inboundPort: 15_006, outboundPort: 15_001, mark: 0x539, mtls: 'strict', unlisted: 'pass' },
  })
  expect(destinations).toEqual([])
})

test('with a directory of policies, PeerAuthentication decides about captured connections', () => {
  expect(read('capture {}\n policy_dir = "/etc/policies"').capture?.mtls).toBe('policy')
})

test('a workload’s ports have their protocols', () => {
  const { workload } = read('capture {}\n workload { http_ports = [8080]  tcp_ports = [5432, 22] }')
  expect([...workload.protocols]).toEqual([
    [8080, 'http'],
    [5432, 'tcp'],
    [22, 'tcp'],
  ])
})

const outbound = (more: string) =>
  read(`outbound "db" {
    listen = "127.0.0.1:9000"  authorize = ["spiffe://example.org"]  ${more}
  }`).outbound[0]?.hbone

test('an outbound listener leads to tunnels of its destination’s proxy where it is to', () => {
  const upstream = 'upstream = "10.0.0.7:8080"'
  expect(outbound(upstream)).toBeUndefined()
  expect(outbound(`${upstream}  transport = "hbone"`)).toMatchObject({
    ...{ host: '10.0.0.7', port: 15_008 },
  })
  expect(
    outbound(`${upstream}  transport = "hbone"  hbone_address = "gateway:15443"`),
  ).toMatchObject({ host: 'gateway', port: 15_443 })
})

test('a destination goes by tunnels unless it says something else', () => {
  const { destinations } = read(`capture {}
    destination "db" { addresses = ["10.0.0.7", "10.1.0.0/16"]  authorize = ["spiffe://example.org/db"] }
    destination "old" { addresses = ["10.2.0.0/16"]  transport = "plaintext"  ports = [80] }`)
  expect(destinations).toMatchObject([
    { name: 'db', transport: 'hbone', hbonePort: 15_008, ports: [] },
    { name: 'old', transport: 'plaintext', ports: [80], authorize: [] },
  ])
})

test.each([
  ['hbone {}', 'listen'],
  ['hbone { listen = "unix:/run/hbone.sock" }', 'expected ip:port'],
  ['hbone { listen = "[::]:15008"  addresses = ["db.shop"] }', 'no IP address'],
  ['hbone { listen = "[::]:15008"  upstream_host = "localhost" }', 'an IP address'],
  ['capture { inbound_port = 70000 }', 'a port'],
  ['capture { unlisted = "maybe" }', 'pass'],
  ['capture {}\n destination "db" { authorize = ["spiffe://example.org"] }', 'addresses'],
  ['capture {}\n destination "db" { addresses = ["10.0.0.7"] }', 'expected who may answer'],
  ['capture {}\n destination "db" { addresses = ["10.0.0.0/33"] }', 'no block of addresses'],
  ['capture {}\n destination "db" { addresses = ["10.0.0.7"]  transport = "ipsec" }', 'mtls'],
  [
    'hbone { listen = "[::]:15008" }\n destination "db" { addresses = ["10.0.0.7"]  authorize = ["spiffe://example.org"] }',
    'add a capture block',
  ],
  [
    'outbound "db" { listen = "127.0.0.1:9000"  upstream = "unix:/db.sock"  transport = "hbone"  authorize = ["spiffe://example.org"] }',
    'expected host:port',
  ],
  [
    'outbound "db" { listen = "127.0.0.1:9000"  upstream = "db:80"  hbone_address = "db:15008"  authorize = ["spiffe://example.org"] }',
    'hbone_address is set for transport mtls',
  ],
  ...['alpn = ["h2"]', 'server_name = "db"', 'min_tls_version = "1.2"'].map(
    (line): [string, string] => [
      `outbound "db" { listen = "127.0.0.1:9000"  upstream = "db:80"  transport = "hbone"  ${line}  authorize = ["spiffe://example.org"] }`,
      `outbound.db.${line.split(' ')[0]} with transport hbone`,
    ],
  ),
])('%s is refused', (settings, message) => {
  expect(() => read(settings)).toThrow(message)
})
