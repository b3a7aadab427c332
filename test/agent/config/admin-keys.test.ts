/** The keys of the admin socket, of what the log may show, of the limits of the Workload API, and of secret discovery. */
import { expect, test } from 'vitest'
import { readAgentConfig } from '../../../agent/config.ts'
import { NO_RATES } from '../../../agent/workload-api/rate-limit.ts'
import { IdentityError } from '../../../spiffe/error.ts'

function read(body: string, flags = {}) {
  const text = `agent {
trust_domain = "example.org"
server_address = "server"
server_port = 8081
insecure_bootstrap = true
${body}
}
plugins {
KeyManager "memory" { }
NodeAttestor "join_token" { }
WorkloadAttestor "unix" { }
}`
  const readText = (path: string): string => {
    throw new Error(`nothing is to be read, but ${path} was`)
  }
  return readAgentConfig({ path: 'agent.conf', text, flags, env: {}, readText })
}

const PUBLIC = 'socket_path = "/run/agent/public/api.sock"'

test.for([
  ['beside the public one', '/run/agent/public/admin.sock'],
  ['below its directory', '/run/agent/public/deep/er/admin.sock'],
  ['beside it by a detour', '/run/agent/private/../public/admin.sock'],
  ['in the very same place', '/run/agent/public/api.sock'],
])('refuses an admin socket %s', ([, path]) => {
  const body = `${PUBLIC}\nadmin_socket_path = "${path}"`
  expect(() => read(body)).toThrow(IdentityError)
  expect(() => read(body)).toThrow(
    `agent.conf:7:1: agent.admin_socket_path ${path} is in the directory of agent.socket_path, /run/agent/public, or below it (expected a path outside of it)`,
  )
})

test.for(['/run/agent/admin.sock', '/run/agent/public2/admin.sock', '/run/agent/public.sock'])(
  'takes the admin socket %s, which no workload comes across',
  (path) => {
    const config = read(`${PUBLIC}\nadmin_socket_path = "${path}"`)
    expect(config.adminSocketPath).toBe(path)
  },
)

test('nothing is above the root: with a public socket there no admin socket is outside', () => {
  const body = 'socket_path = "/api.sock"\nadmin_socket_path = "/run/admin.sock"'
  expect(() => read(body)).toThrow('is in the directory of agent.socket_path, /, or below it')
})

test('without a Workload API the admin socket may lie anywhere', () => {
  const body = `${PUBLIC}\nadmin_socket_path = "/run/agent/public/admin.sock"`
  expect(read(`${body}\ndisable_workload_api = true`).disableWorkloadApi).toBe(true)
  expect(read(body, { disableWorkloadApi: true }).disableWorkloadApi).toBe(true)
})

test('an admin socket whose path the kernel cannot hold is refused', () => {
  expect(() => read(`admin_socket_path = "/${'a'.repeat(107)}"`)).toThrow('at most 107 bytes')
})

test.for([
  ['another trust domain', '["spiffe://other.org/cilium"]', 'has spiffe://other.org/cilium'],
  [
    'a trust domain itself',
    '["spiffe://example.org"]',
    'has spiffe://example.org (expected IDs of',
  ],
  ['what is no SPIFFE ID', '["cilium"]', 'item 0 is wrong'],
  ['a single text', '"spiffe://example.org/cilium"', 'is a string (expected a list of SPIFFE IDs)'],
])('refuses delegates that are %s', ([, value, message]) => {
  expect(() => read(`authorized_delegates = ${value}`)).toThrow(
    `agent.conf:6:1: agent.authorized_delegates ${message}`,
  )
})

test('delegates are of use on an admin socket, and without one there is a warning', () => {
  const delegates = 'authorized_delegates = ["spiffe://example.org/cilium"]'
  const served = read(`${delegates}\nadmin_socket_path = "/run/agent/admin.sock"`)
  expect(served).toMatchObject({
    ...{ warnings: [], authorizedDelegates: ['spiffe://example.org/cilium'] },
  })
  expect(read(delegates).warnings).toEqual([
    'agent.conf:6:1: agent.authorized_delegates has no effect: without agent.admin_socket_path nobody can call',
  ])
  expect(read('').authorizedDelegates).toEqual([])
})

test.for(['4999ms', '30s', '1m', '1s'])('refuses to wait %s for a younger JWT-SVID', (value) => {
  expect(() => read(`experimental { jwt_svid_cache_hit_timeout = "${value}" }`)).toThrow(
    '(expected a duration of at least 5s and less than 30s)',
  )
})

test.for([
  ['5s', 5_000],
  ['29999ms', 29_999],
] as const)('waits %s for a younger JWT-SVID when told so', ([value, ms]) => {
  const config = read(`experimental { jwt_svid_cache_hit_timeout = "${value}" }`)
  expect(config.jwtSvidCacheHitTimeoutMs).toBe(ms)
})

test.for([
  'fetch_x509_svid',
  'fetch_jwt_svid',
  'fetch_x509_bundles',
  'fetch_jwt_bundles',
  'stream_secrets',
  'fetch_secrets',
])('refuses a rate of %s that is no count of calls', (key) => {
  for (const value of ['-1', '1.5', '"many"', '[1]'])
    expect(() => read(`experimental { ratelimit { ${key} = ${value} } }`), value).toThrow(
      `agent.experimental.ratelimit.${key} is`,
    )
})

test('reads the rates of the Workload API, and what of a workload may be logged', () => {
  const config = read(`log_selectors = ["k8s:ns", "unix:uid"]
experimental { ratelimit { fetch_x509_svid = 5 fetch_jwt_svid = "6" } }`)
  expect(config.logSelectors).toEqual(['k8s:ns', 'unix:uid'])
  expect(config.workloadRates).toEqual({ ...NO_RATES, FetchX509SVID: 5, FetchJWTSVID: 6 })
})

test('the rate of secret streams holds for those of either kind', () => {
  const config = read('experimental { ratelimit { stream_secrets = 7 fetch_secrets = 8 } }')
  const rates = { StreamSecrets: 7, DeltaSecrets: 7, FetchSecrets: 8 }
  expect(config.workloadRates).toEqual({ ...NO_RATES, ...rates })
})

test('secret discovery is served under the names of the file, unless it is turned off by key or flag', () => {
  const block = `sds {
    default_svid_name = "own" default_bundle_name = "" default_all_bundles_name = "every"
    disable_spiffe_cert_validation = true
  }`
  expect(read(block).sds).toEqual({
    defaultSvidName: 'own',
    defaultBundleName: 'ROOTCA',
    defaultAllBundlesName: 'every',
    disableSpiffeCertValidation: true,
  })
  expect(read(`disable_sds_api = true ${block}`).sds).toBeUndefined()
  expect(read(block, { disableSdsApi: true }).sds).toBeUndefined()
  expect(read('disable_sds_api = true', { disableSdsApi: false }).sds).toBeDefined()
})
