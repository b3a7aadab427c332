/** What a whole server measures and says of its health, over real sockets. */
import { expect, test } from 'vitest'
import { call, startTestServer } from '../running-server.ts'

const TELEMETRY = {
  host: '127.0.0.1',
  port: 0,
  metricPrefix: undefined,
  hasHostnameLabel: false,
  hasTrustDomainLabel: false,
}
const HEALTH = { host: '127.0.0.1', port: 0, livePath: '/live', readyPath: '/ready' }

type Server = Awaited<ReturnType<typeof startTestServer>>

/** Where the server said that it serves this. */
const urlOf = ({ lines }: Server, msg: string, path: string) =>
  `http://${lines.find((line) => line.msg === msg)?.address}${path}`

const metricsOf = async (server: Server) =>
  await (await fetch(urlOf(server, 'Serving metrics', '/metrics'))).text()

test('a server measures its calls, its store, its authorities and what it signs', async () => {
  await using server = await startTestServer({ config: { telemetry: TELEMETRY } })
  await server.attest()
  await expect(call((done) => server.admin.entry.GetEntry({ id: 'nope' }, done))).rejects.toThrow()
  const text = await metricsOf(server)
  for (const line of [
    'spire_server_rpc_agent_v1_agent_attest_agent{status="OK"} 1',
    'spire_server_rpc_agent_v1_agent_attest_agent_elapsed_time_count{status="OK"} 1',
    'spire_server_rpc_agent_v1_agent_create_join_token{status="OK"} 1',
    'spire_server_rpc_entry_v1_entry_get_entry{status="NotFound"} 1',
    'spire_server_datastore_join_token_create{status="OK"} 1',
    'spire_server_datastore_join_token_fetch{status="OK"} 1',
    'spire_server_datastore_node_create{status="OK"} 1',
    'spire_server_ca_manager_x509_ca_prepare{status="OK"} 1',
    'spire_server_ca_manager_x509_ca_activate 1',
    'spire_server_ca_manager_jwt_key_prepare{status="OK"} 1',
    'spire_server_manager_jwt_key_activate 1',
    'spire_server_svid_rotate{status="OK"} 1',
    'spire_server_server_ca_sign_x509_svid 2',
    'spire_server_node_agents_by_id_cache_count 1',
    'spire_server_entry_entries_by_entryid_cache_count 0',
    'spire_server_started{version="unknown",trust_domain_id="example_org"} 1',
  ]) {
    expect(text.split('\n')).toContain(line)
  }
  expect(text).toMatch(
    /^spire_server_manager_x509_ca_rotate_ttl\{trust_domain_id="example_org"\} 8\d{4}/m,
  )
  expect(text).toMatch(/^spire_server_manager_x509_ca_rotate_expiration\{.*\} 1\d{9}$/m)
  expect(text).toMatch(/^spire_server_uptime_in_ms \d+$/m)
})

test('a server that is well says so to probes, part by part', async () => {
  await using server = await startTestServer({ config: { health: HEALTH } })
  for (const path of ['/live', '/ready']) {
    const response = await fetch(urlOf(server, 'Serving health checks', path))
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({
      'catalog.datastore': {},
      server: {},
      'server.ca': {},
      'server.ca.rotator': {},
    })
  }
})

test('a server that was not asked to serves neither', async () => {
  await using server = await startTestServer()
  expect(server.lines.filter(({ msg }) => String(msg).startsWith('Serving'))).toEqual([])
})
