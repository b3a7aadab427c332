import { expect, test } from 'vitest'
import { readOidcConfig } from '../../oidc/config.ts'

const read = (text: string) =>
  readOidcConfig({
    ...{ path: 'oidc.conf', text, env: {}, flags: {} },
    readText: () => {
      throw new Error('nothing else is read')
    },
  })

const GOOD = 'domains = ["oidc.example.org"]\n'
const HTTP = 'insecure_addr = ":8080"\n'
const SERVER = 'server_api { address = "unix:///tmp/api.sock" }\n'

test('the shortest configuration has SPIRE’s defaults', () => {
  expect(read(GOOD + HTTP + SERVER)).toEqual({
    provider: {
      domains: ['oidc.example.org'],
      ...{ jwtIssuer: undefined, jwksUri: undefined, pathPrefix: '', allowsHttp: false },
    },
    hasKeyUse: false,
    health: undefined,
    keySource: { kind: 'server_api', address: 'unix:///tmp/api.sock', pollMs: 10_000 },
    listen: { kind: 'http', at: { host: undefined, port: 8080 } },
    log: { level: 'INFO', format: 'text', file: undefined, hasSource: false },
    logsRequests: false,
    warnings: [],
  })
})

test('every way to listen and every source of keys can be chosen', () => {
  const tls = 'serving_cert_file { cert_file_path = "c" key_file_path = "k" addr = "[::1]:8443" }\n'
  const workload = 'workload_api { socket_path = "/w.sock" trust_domain = "example.org" }\n'
  const file = 'file { path = "/bundle.json" poll_interval = "1m" }\n'
  expect(read(GOOD + tls + workload)).toMatchObject({
    listen: {
      kind: 'https',
      at: { host: '::1', port: 8443 },
      files: { certPath: 'c', keyPath: 'k' },
    },
    keySource: { kind: 'workload_api', socketPath: '/w.sock', trustDomain: 'example.org' },
  })
  expect(read(`${GOOD}listen_socket_path = "/l.sock"\n${file}health_checks {}\n`)).toMatchObject({
    listen: { kind: 'unix', path: '/l.sock' },
    keySource: { kind: 'file', path: '/bundle.json', pollMs: 60_000 },
    health: { host: 'localhost', port: 8008, livePath: '/live', readyPath: '/ready' },
  })
})

test.for([
  ['nothing', '', /domains is missing/],
  ['an empty list of domains', `domains = []\n${HTTP}${SERVER}`, /domains is empty/],
  [
    'nowhere to listen',
    GOOD + SERVER,
    /of acme, serving_cert_file, insecure_addr, listen_socket_path none/,
  ],
  [
    'two ways to listen',
    `${GOOD}${HTTP}${SERVER}listen_socket_path = "/x"`,
    /insecure_addr and listen_socket_path are there/,
  ],
  ['no source of keys', GOOD + HTTP, /of server_api, workload_api, file none is there/],
  [
    'two sources of keys',
    `${GOOD}${HTTP}${SERVER}file { path = "x" }`,
    /server_api and file are there/,
  ],
  [
    'a server over the network',
    `${GOOD}${HTTP}server_api { address = "https://x" }`,
    /address is "https:\/\/x"/,
  ],
  [
    'a Workload API without a trust domain',
    `${GOOD}${HTTP}workload_api { socket_path = "/x" }`,
    /trust_domain is missing/,
  ],
  [
    'an issuer that is no URL',
    `${GOOD}${HTTP}${SERVER}jwt_issuer = "foo"`,
    /jwt_issuer: "foo" is no URL/,
  ],
  [
    'a key address with a password',
    `${GOOD}${HTTP}${SERVER}jwks_uri = "https://u:p@x"`,
    /jwks_uri/,
  ],
  [
    'a prefix that is no path',
    `${GOOD}${HTTP}${SERVER}server_path_prefix = "a b"`,
    /server_path_prefix/,
  ],
  ['a key that nobody knows', `${GOOD}${HTTP}${SERVER}foo = 1`, /unknown key "foo"/],
  [
    'a certificate without its key',
    `${GOOD}${SERVER}serving_cert_file { cert_file_path = "c" }`,
    /key_file_path is missing/,
  ],
] as const)('refuses %s', ([, text, why]) => {
  expect(() => read(text)).toThrow(why)
})

const ACME = 'email = "a@b.test" tos_accepted = true'
const byAcme = (body: string, domains = '["oidc.example.org", "OIDC.example.org", "b.org"]') =>
  read(`domains = ${domains}\n${SERVER}acme { ${body} }`)

test('certificates by ACME have SPIRE’s keys and defaults, one for each domain', () => {
  expect(byAcme(ACME).listen).toEqual({
    kind: 'acme',
    at: { host: undefined, port: 443 },
    acme: {
      directoryUrl: 'https://acme-v02.api.letsencrypt.org/directory',
      ...{ email: 'a@b.test', isTosAccepted: true, cacheDir: './.acme-cache' },
      domains: ['oidc.example.org', 'b.org'],
    },
  })
  const all = `${ACME} directory_url = "https://ca.test/d" cache_dir = "/c" addr = "[::1]:8443"`
  expect(byAcme(all).listen).toMatchObject({
    at: { host: '::1', port: 8443 },
    acme: { directoryUrl: 'https://ca.test/d', cacheDir: '/c' },
  })
})

test('an empty cache_dir keeps nothing', () => {
  expect(byAcme(`${ACME} cache_dir = ""`).listen).toMatchObject({ acme: { cacheDir: undefined } })
})

test.for([
  ['terms that are not accepted', 'email = "a@b.test"', undefined, /tos_accepted is false/],
  ['no address', 'tos_accepted = true', undefined, /acme.email is missing/],
  ['a domain with a port', ACME, '["a.org:443"]', /domains has "a.org:443" \(expected DNS names/],
  ['a domain that is an address', ACME, '["127.0.0.1"]', /domains has "127.0.0.1"/],
  ['no place to listen', `${ACME} addr = "443"`, undefined, /addr is "443"/],
  [
    'more domains than a CA would take',
    ACME,
    JSON.stringify(Array.from({ length: 51 }, (_, index) => `d${index}.org`)),
    /domains has 51 names \(expected at most 50/,
  ],
] as const)('refuses certificates by ACME with %s', ([, body, domains, why]) => {
  expect(() => byAcme(body, domains)).toThrow(why)
})

test('refuses certificates by ACME beside a port without TLS', () => {
  expect(() => read(`${GOOD}${HTTP}${SERVER}acme { ${ACME} }`)).toThrow(
    /acme and insecure_addr are there/,
  )
})
