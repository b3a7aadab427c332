import { expect, test } from 'vitest'
import { type ProxyFlags, readProxyConfig } from '../../proxy/config.ts'

const read = (text: string, flags: ProxyFlags = {}, path = 'proxy.conf') =>
  readProxyConfig({
    ...{ path, text, flags, env: {} },
    readText: (name) => {
      throw new Error(`nothing else is read, but ${name} was`)
    },
  })

const LEAST = `proxy {
  inbound "web" { listen = "0.0.0.0:8443"  upstream = "127.0.0.1:8080" }
}`

test('the least file takes mutual TLS alone, for whoever is of our trust domain', () => {
  const config = read(LEAST)
  expect(config.inbound).toMatchObject([
    {
      name: 'web',
      listen: { kind: 'tcp', host: '0.0.0.0', port: 8443 },
      upstream: { kind: 'tcp', host: '127.0.0.1', port: 8080 },
      protocol: 'auto',
      mtls: 'strict',
      minVersion: 'TLSv1.3',
      authorize: undefined,
      workloadPort: 8080,
    },
  ])
  expect(config).toMatchObject({
    workloadApi: 'unix:///tmp/spire-agent/public/api.sock',
    detectionTimeoutMs: 1_000,
    drainTimeoutMs: 5_000,
    mesh: { rootNamespace: 'istio-system', refuseAmbiguousPaths: true, trustedHops: 0 },
  })
})

test('with a directory of policies, PeerAuthentication decides', () => {
  const withPolicies = LEAST.replace('proxy {', 'proxy {\n policy_dir = "/etc/policies"')
  expect(read(withPolicies).inbound[0]?.mtls).toBe('policy')
})

test('HCL, YAML and JSON say the same', () => {
  const yaml = `
proxy:
  inbound:
    web: { listen: "0.0.0.0:8443", upstream: "127.0.0.1:8080" }
`
  const json = JSON.stringify({
    proxy: { inbound: { web: { listen: '0.0.0.0:8443', upstream: '127.0.0.1:8080' } } },
  })
  const expected = read(LEAST)
  expect(read(yaml, {}, 'proxy.yaml')).toEqual(expected)
  expect(read(json, {}, 'proxy.json')).toEqual(expected)
})

test('labels and everything else of a mesh are read', () => {
  const config = read(`proxy {
  workload { namespace = "shop"  name = "cart"  service_account = "cart"  labels { app = "cart"  "a/b" = "c" } }
  mesh { federated_trust_domains = ["partner.org"]  trust_domain_aliases = ["old.org"]  trusted_hops = 2 }
  outbound "orders" {
    listen = "unix:/run/orders.sock"  upstream = "[::1]:9000"
    authorize = ["spiffe://example.org/orders", "spiffe://partner.org"]
  }
}`)
  expect(config.workload).toMatchObject({ namespace: 'shop', labels: { app: 'cart', 'a/b': 'c' } })
  expect(config.mesh).toMatchObject({ federatedTrustDomains: ['partner.org'], trustedHops: 2 })
  expect(config.outbound[0]).toMatchObject({
    listen: { kind: 'unix', path: '/run/orders.sock' },
    upstream: { kind: 'tcp', host: '::1', port: 9000 },
    authorize: [
      { kind: 'id', id: 'spiffe://example.org/orders' },
      { kind: 'trust-domain', trustDomain: 'partner.org' },
    ],
  })
})

test.each([
  ['proxy {}', /no listener is configured/],
  [
    'proxy { inbound "web" { upstream = "127.0.0.1:1" } }',
    /proxy\.inbound\.web\.listen is missing/,
  ],
  [LEAST.replace('8443', 'https'), /listen is "0\.0\.0\.0:https"/],
  [LEAST.replace('127.0.0.1:8080', '127.0.0.1:0'), /upstream is "127\.0\.0\.1:0"/],
  [LEAST.replace('"web"', '"a b"'), /"a b" is no name/],
  [LEAST.replace('upstream', 'mtls = "off"  upstream'), /mtls is "off"/],
  [LEAST.replace('upstream', 'protocl = "tcp"  upstream'), /did you mean "protocol"/],
  [LEAST.replace('0.0.0.0:8443', 'unix:/run/a.sock'), /inbound.*listens on a Unix socket/],
  ['proxy { outbound "a" { listen = "127.0.0.1:1"  upstream = "b:1" } }', /authorize is missing/],
  [
    'proxy { outbound "a" { listen = "127.0.0.1:1"  upstream = "b:1"  authorize = [] } }',
    /authorize is empty/,
  ],
  [
    'proxy { outbound "a" { listen = "127.0.0.1:1"  upstream = "b:1"  authorize = ["b"] } }',
    /not a SPIFFE ID/,
  ],
  [`${LEAST.slice(0, -1)} admin { listen = "0.0.0.0:15000" } }`, /loopback address or unix/],
  [`${LEAST.slice(0, -1)} workload { labels { app = 1 } } }`, /labels\.app is a number/],
  [
    `${LEAST.slice(0, -1)} inbound "b" { listen = "127.0.0.1:8443"  upstream = "127.0.0.1:1" } }`,
    /proxy\.inbound\.web\.listen has 127\.0\.0\.1:8443 already; choose another proxy\.inbound\.b\.listen/,
  ],
  [
    `${LEAST.slice(0, -1)} hbone { listen = "0.0.0.0:8443" } }`,
    /inbound\.web\.listen has .* already; choose another proxy\.hbone\.listen/,
  ],
  [
    `${LEAST.slice(0, -1)} admin { listen = "127.0.0.1:8443" } }`,
    /inbound\.web\.listen has .* already; choose another proxy\.admin\.listen/,
  ],
  [
    'proxy { inbound "a" { listen = "127.0.0.1:8443"  upstream = "127.0.0.1:8443" } }',
    /"a" has 127\.0\.0\.1:8443 as listen and as upstream .* it would call itself/,
  ],
])('a mistake is refused: %s', (text, message) => {
  expect(() => read(text)).toThrow(message)
})

const FLAGS = { listen: '127.0.0.1:8443', upstream: '127.0.0.1:8080' }

test.each([
  'inbound "b" { listen = "[::1]:8443"  upstream = "127.0.0.1:1" }',
  'inbound "b" { listen = "0.0.0.0:8444"  upstream = "127.0.0.1:8443" }',
  'inbound "b" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:1" }  inbound "c" { listen = "127.0.0.1:0"  upstream = "127.0.0.1:1" }',
])('listeners that do not meet are taken: %s', (block) => {
  expect(read(`${LEAST.slice(0, -1)} ${block} }`).inbound.length).toBeGreaterThan(1)
})

test('flags alone make one listener', () => {
  expect(read('', { ...FLAGS, inbound: true }).inbound).toMatchObject([
    { mtls: 'strict', workloadPort: 8080, authorize: undefined },
  ])
  const authorize = ['spiffe://example.org/db']
  expect(read('', { ...FLAGS, outbound: true, authorize }).outbound).toMatchObject([
    { authorize: [{ kind: 'id', id: 'spiffe://example.org/db' }] },
  ])
})

test.each([
  [{ ...FLAGS, inbound: true, outbound: true }, /exclude each other/],
  [{ ...FLAGS, outbound: true }, /-outbound needs -authorize/],
  [{ inbound: true, upstream: '127.0.0.1:8080' }, /-listen is missing/],
  [{ ...FLAGS, inbound: true, upstream: '8080' }, /-upstream is "8080"/],
  [{ ...FLAGS, inbound: true, protocol: 'udp' }, /-protocol is "udp"/],
  [FLAGS, /need -inbound or -outbound/],
])('flags that do not fit are refused: %o', (flags, message) => {
  expect(() => read('', flags)).toThrow(message)
})
