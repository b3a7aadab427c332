import { expect, test } from 'vitest'
import { readServerConfig } from '../../server/config.ts'

function read(body: string, plugins = '') {
  const text = `server { trust_domain = "example.org" data_dir = "/d"
${body}
}
plugins {
  DataStore "sql" { plugin_data { database_type = "sqlite3" connection_string = "/d/x.db" } }
  KeyManager "memory" {}
${plugins}
}`
  return readServerConfig({
    ...{ path: 'server.conf', text, env: {}, flags: {} },
    readText: () => {
      throw new Error('nothing else is read')
    },
  })
}

const federation = (body: string) => read(`federation {\n${body}\n}`).federation
const upstream = (body: string) => read('', body).upstream

test('nothing is served or fetched unless the file says so', () => {
  expect(read('').federation).toEqual({ endpoint: undefined, relationships: [] })
  expect(federation('')).toEqual({ endpoint: undefined, relationships: [] })
})

test('an empty block serves the bundle with the server’s own SVID', () => {
  expect(federation('bundle_endpoint {}').endpoint).toEqual({
    ...{ address: '0.0.0.0', port: 443, refreshHintSeconds: 300 },
    profile: { kind: 'https_spiffe' },
  })
})

test('every key of the endpoint is read', () => {
  const files = 'cert_file_path = "c.pem" key_file_path = "k.pem" file_sync_interval = "10m"'
  const body = `bundle_endpoint { address = "127.0.0.1" port = 8443 refresh_hint = "10m"
    profile "https_web" { serving_cert_file { ${files} } } }`
  expect(federation(body).endpoint).toEqual({
    ...{ address: '127.0.0.1', port: 8443, refreshHintSeconds: 600 },
    profile: {
      kind: 'https_web',
      certificate: {
        kind: 'files',
        files: { certPath: 'c.pem', keyPath: 'k.pem', syncIntervalMs: 600_000 },
      },
    },
  })
})

const acme = (body: string) => `bundle_endpoint { profile "https_web" { acme { ${body} } } }`

test('a certificate by ACME has SPIRE’s keys and defaults', () => {
  const profileOf = (body: string) => federation(acme(body)).endpoint?.profile
  expect(profileOf('domain_name = "Fed.example.org"')).toEqual({
    kind: 'https_web',
    certificate: {
      kind: 'acme',
      domain: 'fed.example.org',
      account: {
        directoryUrl: 'https://acme-v02.api.letsencrypt.org/directory',
        ...{ email: undefined, isTosAccepted: false },
      },
    },
  })
  const all = 'directory_url = "https://ca.test:14000/dir" email = "a@b.test" tos_accepted = true'
  expect(profileOf(`domain_name = "fed.test" ${all}`)).toMatchObject({
    certificate: {
      account: {
        directoryUrl: 'https://ca.test:14000/dir',
        email: 'a@b.test',
        isTosAccepted: true,
      },
    },
  })
})

test.for([
  ['no name', '', /acme.domain_name is missing/],
  ['an IP address', 'domain_name = "10.0.0.1"', /domain_name is "10.0.0.1" \(expected a DNS name/],
  ['an IPv6 address', 'domain_name = "::1"', /domain_name is "::1"/],
  ['a wildcard', 'domain_name = "*.example.org"', /domain_name is "\*.example.org"/],
  ['a name with a port', 'domain_name = "a.org:443"', /domain_name is "a.org:443"/],
  ['a name that leads elsewhere on disk', 'domain_name = "../a"', /domain_name is "..\/a"/],
  [
    'a directory without TLS',
    'domain_name = "a.org" directory_url = "http://ca.test/"',
    /directory_url is "http:\/\/ca.test\/" \(expected an https URL/,
  ],
  [
    'a directory with a password',
    'domain_name = "a.org" directory_url = "https://u:secret@ca.test/"',
    /directory_url has credentials \(/,
  ],
  ['two addresses', 'domain_name = "a.org" email = "a@b.c,d@e.f"', /email is "a@b.c,d@e.f"/],
  ['a key that nobody knows', 'domain_name = "a.org" cache_dir = "x"', /unknown key "cache_dir"/],
] as const)('refuses a certificate by ACME with %s', ([, body, why]) => {
  expect(() => federation(acme(body))).toThrow(why)
})

test('refuses a certificate by ACME beside one from files', () => {
  const files = 'serving_cert_file { cert_file_path = "c" key_file_path = "k" }'
  const both = `profile "https_web" { acme { domain_name = "a.org" } ${files} }`
  expect(() => federation(`bundle_endpoint { ${both} }`)).toThrow(/no certificate, or two/)
})

test('a certificate by ACME is taken at its old place, too, which makes the endpoint one of the Web', () => {
  const old = 'acme { domain_name = "Fed.example.org" email = "a@b.test" }'
  expect(federation(`bundle_endpoint { ${old} }`).endpoint?.profile).toMatchObject({
    kind: 'https_web',
    certificate: { kind: 'acme', domain: 'fed.example.org', account: { email: 'a@b.test' } },
  })
  const both = `${old} profile "https_spiffe" {}`
  expect(() => federation(`bundle_endpoint { ${both} }`)).toThrow(/both acme and profile/)
  expect(() => federation('bundle_endpoint { acme {} }')).toThrow(/acme.domain_name is missing/)
})

test('relationships are read for each trust domain, in either profile', () => {
  expect(
    federation(`
    federates_with "a.org" {
      bundle_endpoint_url = "https://a.example/bundle"
      bundle_endpoint_profile "https_web" {}
    }
    federates_with "b.org" {
      bundle_endpoint_url = "https://b.example:8443"
      bundle_endpoint_profile "https_spiffe" { endpoint_spiffe_id = "spiffe://b.org/spire/server" }
    }`).relationships,
  ).toEqual([
    {
      trustDomain: 'a.org',
      endpointUrl: 'https://a.example/bundle',
      profile: { kind: 'https_web' },
    },
    {
      trustDomain: 'b.org',
      endpointUrl: 'https://b.example:8443',
      profile: { kind: 'https_spiffe', endpointId: 'spiffe://b.org/spire/server' },
    },
  ])
})

const URL = 'bundle_endpoint_url = "https://a.example"'
const WEB = 'bundle_endpoint_profile "https_web" {}'

test.for([
  [
    'an endpoint of two profiles',
    'bundle_endpoint { profile "https_web" {} profile "https_spiffe" {} }',
    /profile is "https_web" and "https_spiffe" \(expected one of/,
  ],
  [
    'an endpoint of an unknown profile',
    'bundle_endpoint { profile "http" {} }',
    /profile is "http" \(expected one of https_spiffe or https_web\)/,
  ],
  [
    'https_web without a certificate',
    'bundle_endpoint { profile "https_web" {} }',
    /https_web has no certificate, or two \(expected one of acme and serving_cert_file\)/,
  ],
  [
    'a certificate without its key',
    'bundle_endpoint { profile "https_web" { serving_cert_file { cert_file_path = "c" } } }',
    /key_file_path is missing/,
  ],
  [
    'an unknown key of the endpoint',
    'bundle_endpoint { prot = 1 }',
    /unknown key "prot" in server.federation.bundle_endpoint/,
  ],
  [
    'a relationship without a URL',
    `federates_with "a.org" { ${WEB} }`,
    /bundle_endpoint_url is missing/,
  ],
  [
    'a relationship without a profile',
    `federates_with "a.org" { ${URL} }`,
    /bundle_endpoint_profile is missing/,
  ],
  [
    'https_spiffe without the ID of the endpoint',
    `federates_with "a.org" { ${URL}\nbundle_endpoint_profile "https_spiffe" {} }`,
    /endpoint_spiffe_id is missing/,
  ],
  [
    'a URL without TLS',
    `federates_with "a.org" { bundle_endpoint_url = "http://a"\n${WEB} }`,
    /must use the https scheme/,
  ],
  [
    'a URL with a password',
    `federates_with "a.org" { bundle_endpoint_url = "https://u:p@a"\n${WEB} }`,
    /must not contain user info/,
  ],
  ['a name that is no trust domain', `federates_with "BAD!" { ${URL}\n${WEB} }`, /BAD!/],
  [
    'one trust domain twice',
    `federates_with "a.org" { ${URL}\n${WEB} }\nfederates_with "a.org" { ${URL}\n${WEB} }`,
    /more than once/,
  ],
  [
    'our own trust domain',
    `federates_with "example.org" { ${URL}\n${WEB} }`,
    /example.org is the server’s own trust domain/,
  ],
] as const)('refuses %s', ([, body, why]) => {
  expect(() => federation(body)).toThrow(why)
})

test('either upstream authority is read, and none is there by default', () => {
  expect(read('').upstream).toBe(undefined)
  const disk = 'cert_file_path = "c" key_file_path = "k" bundle_file_path = "b"'
  expect(upstream(`UpstreamAuthority "disk" { plugin_data { ${disk} } }`)).toEqual({
    ...{ kind: 'disk', certPath: 'c', keyPath: 'k', bundlePath: 'b' },
  })
  const spire = 'server_address = "up.example" server_port = 8081 workload_api_socket = "/w.sock"'
  expect(upstream(`UpstreamAuthority "spire" { plugin_data { ${spire} } }`)).toEqual({
    ...{ kind: 'spire', host: 'up.example', port: 8081, workloadApiSocket: '/w.sock' },
    requirePqKem: false,
  })
  const pq = `${spire} experimental { require_pq_kem = true }`
  expect(upstream(`UpstreamAuthority "spire" { plugin_data { ${pq} } }`)).toMatchObject({
    requirePqKem: true,
  })
})

test.for([
  [
    'a disk without a key',
    'UpstreamAuthority "disk" { plugin_data { cert_file_path = "c" } }',
    /key_file_path is missing/,
  ],
  [
    'a server without a socket',
    'UpstreamAuthority "spire" { plugin_data { server_address = "a" server_port = 1 } }',
    /workload_api_socket is missing/,
  ],
  ['one that is not offered', 'UpstreamAuthority "vault" { plugin_data {} }', /vault is /],
  [
    'two at once',
    'UpstreamAuthority "disk" { plugin_data { cert_file_path = "c" key_file_path = "k" } }\nUpstreamAuthority "spire" { plugin_data { server_address = "a" server_port = 1 workload_api_socket = "/w" } }',
    /2 plugins are enabled/,
  ],
] as const)('refuses %s', ([, body, why]) => {
  expect(() => upstream(body)).toThrow(why)
})
