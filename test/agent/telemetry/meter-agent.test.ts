import { expect, test } from 'vitest'
import { healthChecks } from '../../../agent/health/health-checks.ts'
import {
  countRateExceeded,
  gaugeCache,
  meterAttest,
  meterAttestor,
  meterEntries,
  meterSigning,
  observeApis,
} from '../../../agent/telemetry/meter-agent.ts'
import type { UnixCaller } from '../../../proto/peer-credentials.ts'
import { emptyBundle } from '../../../spiffe/bundle.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { parseSelector } from '../../../spiffe/selector.ts'
import { authorityIdOf } from '../../../spiffe/x509/key-id.ts'
import { openMetrics } from '../../../telemetry/open-metrics.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { currentCa } from '../../fakes/svids.ts'

const caller: UnixCaller = { kind: 'unix', pid: 1, uid: 1, gid: 1, isAlive: () => true }
const { signal } = new AbortController()
const trustDomain = parseTrustDomain('example.org')

function open() {
  const metrics = openMetrics({ prefix: 'spire_agent', labels: {}, clock: new FakeClock() })
  const lines = async () => (await metrics.text()).split('\n')
  return { metrics, lines }
}

const end = (error?: unknown) => ({ call: undefined, request: undefined, error })

test('a call of the Workload API is a connection for as long as it is open', async () => {
  const { metrics, lines } = open()
  const observe = observeApis(metrics)
  const [first, second] = [
    observe('/SpiffeWorkloadAPI/FetchX509SVID'),
    observe('/SpiffeWorkloadAPI/FetchX509SVID'),
  ]
  expect(await lines()).toContain('spire_agent_workload_api_connections 2')
  first(end())
  second(end(new IdentityError('NO_IDENTITY_ISSUED', 'no identity issued')))
  expect(await lines()).toEqual(
    expect.arrayContaining([
      'spire_agent_workload_api_connections 0',
      'spire_agent_workload_api_connection 2',
      'spire_agent_rpc_workload_api_fetch_x509svid{status="OK"} 1',
      'spire_agent_rpc_workload_api_fetch_x509svid{status="PermissionDenied"} 1',
    ]),
  )
})

test('a call of secret discovery is a connection of its own kind, which the Workload API does not count', async () => {
  const { metrics, lines } = open()
  const ended = observeApis(metrics)(
    '/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets',
  )
  expect(await lines()).toContain('spire_agent_sds_api_connections 1')
  ended(end())
  const seen = await lines()
  expect(seen).toEqual(
    expect.arrayContaining([
      'spire_agent_sds_api_connections 0',
      'spire_agent_sds_api_connection 1',
      'spire_agent_rpc_sds_v3_stream_secrets{status="OK"} 1',
    ]),
  )
  expect(seen.join()).not.toContain('workload_api_connection')
})

test('a health check is no connection of a workload', async () => {
  const { metrics, lines } = open()
  observeApis(metrics)('/grpc.health.v1.Health/Check')(end())
  const seen = await lines()
  expect(seen).toContain('spire_agent_rpc_health_check{status="OK"} 1')
  expect(seen.filter((line) => line.includes('connection'))).toEqual([])
})

test('calls on the admin socket are connections of Debug and of Logger', async () => {
  const { metrics, lines } = open()
  const observe = observeApis(metrics)
  const info = observe('/spire.agent.debug.v1.Debug/GetInfo')
  observe('/spire.api.agent.logger.v1.Logger/GetLogger')(end())
  expect(await lines()).toContain('spire_agent_debug_api_connections 1')
  info(end())
  expect(await lines()).toEqual(
    expect.arrayContaining([
      'spire_agent_debug_api_connections 0',
      'spire_agent_debug_api_connection 1',
      'spire_agent_logger_api_connections 0',
      'spire_agent_logger_api_connection 1',
      'spire_agent_rpc_logger_get_logger{status="OK"} 1',
    ]),
  )
})

test('a call that came too soon is counted by its method, in the letters that Prometheus has', async () => {
  const { metrics, lines } = open()
  countRateExceeded(metrics, '/SpiffeWorkloadAPI/FetchX509SVID')
  expect(await lines()).toContain(
    'spire_agent_workload_api_rate_limit_exceeded{method="_SpiffeWorkloadAPI_FetchX509SVID"} 1',
  )
})

test('attestations are counted as a whole and by attestor, with what they found', async () => {
  const { metrics, lines } = open()
  const uid = parseSelector('unix:uid:1')
  const unix = meterAttestor({ type: 'unix', attest: async () => [uid] }, metrics)
  const attest = meterAttest(async (who, stop) => new Set(await unix.attest(who, stop)), metrics)
  expect(await attest(caller, signal)).toEqual(new Set([uid]))
  const failing = meterAttest(
    () => Promise.reject(new IdentityError('ATTESTATION_FAILED', '')),
    metrics,
  )
  await expect(failing(caller, signal)).rejects.toMatchObject({ code: 'ATTESTATION_FAILED' })
  expect(await lines()).toEqual(
    expect.arrayContaining([
      'spire_agent_workload_api_workload_attestation{status="OK"} 1',
      'spire_agent_workload_api_workload_attestation{status="Unavailable"} 1',
      'spire_agent_workload_api_workload_attestor{attestor="unix",status="OK"} 1',
      'spire_agent_workload_api_discovered_selectors_sum 1',
      'spire_agent_workload_api_discovered_selectors_count 1',
    ]),
  )
})

test('fetching SVIDs and what is cached are measured', async () => {
  const { metrics, lines } = open()
  const knowledge = { bundle: emptyBundle(trustDomain), entries: new Map(), federated: new Map() }
  const held = { knowledge: () => knowledge, svids: () => new Map() }
  await meterSigning(async () => [], held, new FakeClock(), metrics)([], signal)
  gaugeCache(held, metrics)
  expect(await lines()).toEqual(
    expect.arrayContaining([
      'spire_agent_manager_sync_fetch_svids_updates{status="OK"} 1',
      'spire_agent_lru_cache_record_map_size 0',
      'spire_agent_lru_cache_svid_map_size 0',
      'spire_agent_sync_bundles_total 1',
    ]),
  )
})

test('SVIDs that are replaced are told by their reasons, and first ones are not told', async () => {
  const { metrics, lines } = open()
  const ca = await currentCa('example.org')
  const x509Authorities = [{ der: ca.certificate, tainted: true }]
  const bundle = { ...emptyBundle(trustDomain), x509Authorities }
  const keyId = authorityIdOf(ca.certificate)
  const clock = new FakeClock()
  const ends = new Date(clock.now().getTime() + 3_600_000)
  const life = { obtainedAt: clock.now(), renewAt: ends, expiresAt: ends }
  // Cast: of entries and SVIDs nothing else is read.
  const held = {
    knowledge: () => ({
      ...{ bundle, federated: new Map() },
      entries: new Map(['a', 'b', 'c', 'd', 'e'].map((id) => [id, { entryId: id, revision: 2 }])),
    }),
    svids: () =>
      new Map([
        ['a', { ...life, revision: 1, authorityKeyIds: ['other'] }],
        ['b', { ...life, revision: 2, authorityKeyIds: ['other'] }],
        ['c', { ...life, revision: 1, authorityKeyIds: [keyId] }],
        ['e', { ...life, obtainedAt: ends, revision: 2, authorityKeyIds: ['other'] }],
      ]),
  } as unknown as Parameters<typeof meterSigning>[1]
  const requests = ['a', 'b', 'c', 'd', 'e'].map((entryId) => ({ entryId, csr: new Uint8Array() }))
  await meterSigning(async () => [], held, clock, metrics)(requests, signal)
  const counts = (await lines()).filter((line) => /cache_manager_.*_(count|sum)/.test(line))
  expect(counts.toSorted()).toEqual([
    'spire_agent_cache_manager_expiring_svids_workload_count 1',
    'spire_agent_cache_manager_expiring_svids_workload_sum 2',
    'spire_agent_cache_manager_outdated_svids_workload_count 1',
    'spire_agent_cache_manager_outdated_svids_workload_sum 1',
    'spire_agent_cache_manager_tainted_x509_svids_workload_count 1',
    'spire_agent_cache_manager_tainted_x509_svids_workload_sum 1',
  ])
})

test('entries that come, change and go are counted, and the last update of the server is told', async () => {
  const { metrics, lines } = open()
  const told = meterEntries(metrics)
  told({ added: 3, updated: 0, removed: 1 })
  told({ added: 0, updated: 2, removed: 0 })
  expect(await lines()).toEqual(
    expect.arrayContaining([
      'spire_agent_lru_cache_entry_add 3',
      'spire_agent_lru_cache_entry_update 2',
      'spire_agent_lru_cache_entry_remove 1',
      'spire_agent_sync_entries_missing 0',
      'spire_agent_sync_entries_stale 2',
      'spire_agent_sync_entries_dropped 0',
    ]),
  )
})

test('an agent is well while it has a bundle to hand out', async () => {
  const own = emptyBundle(trustDomain)
  const bundles = { own, federated: new Map() }
  const [check] = healthChecks({ bundles: () => bundles })
  await expect(check?.check()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  bundles.own = { ...own, x509Authorities: [{ der: Buffer.from('x'), tainted: false }] }
  await expect(check?.check()).resolves.toBeUndefined()
})
