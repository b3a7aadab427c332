/** What the agent measures, under SPIRE's names: one function for each part of it. */
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import type { Endpoint } from '../../proto/serve.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { rpcName } from '../../telemetry/rpc-name.ts'
import type { Attest } from '../attest/attest.ts'
import type { WorkloadAttestor } from '../attest/workload-attestor.ts'
import type { WorkloadCache } from '../cache/workload-cache.ts'
import type { SignX509 } from '../cache/x509-svids.ts'

const WORKLOAD_API = '/SpiffeWorkloadAPI/'
const SDS_API = '/envoy.service.secret.v3.SecretDiscoveryService/'
const DEBUG_API = '/spire.agent.debug.v1.Debug/'
const DELEGATED_API = '/spire.api.agent.delegatedidentity.v1.DelegatedIdentity/'

/** Calls on either socket. As SPIRE's, a connection is a call of one of its APIs that is open. */
export function observeApis<Caller = UnixCaller>(
  metrics: Metrics,
): NonNullable<Endpoint<Caller>['observe']> {
  return (method) => {
    const ended = metrics.call(rpcName(method).metric)
    const api = apiOf(method)
    const left = api === undefined ? undefined : openConnection(metrics, api)
    return ({ error }) => {
      ended(error)
      left?.()
    }
  }
}

function apiOf(method: string): string | undefined {
  if (method.startsWith(WORKLOAD_API)) return 'workload_api'
  if (method.startsWith(SDS_API)) return 'sds_api'
  if (method.startsWith(DEBUG_API)) return 'debug_api'
  return method.startsWith(DELEGATED_API) ? 'delegated_identity_api' : undefined
}

/** @returns to be called when a stream of a delegate carries SVIDs for the first time */
export function measureFirstSvids(metrics: Metrics): () => void {
  const ended = metrics.call('delegated_identity_api_subscribe_x509_svid_first_x509_svid_update')
  return () => ended()
}

function openConnection(metrics: Metrics, api: string): () => void {
  metrics.count(`${api}_connection`)
  metrics.add(`${api}_connections`, 1)
  return () => metrics.add(`${api}_connections`, -1)
}

/** @param method full; Prometheus has it with underscores for slashes, as SPIRE gives it */
export function countRateExceeded(metrics: Metrics, method: string): void {
  metrics.count('workload_api_rate_limit_exceeded', { method: method.replaceAll('/', '_') })
}

export function meterAttest(attest: Attest, metrics: Metrics): Attest {
  return async (caller, signal) => {
    const selectors = await metrics.measure('workload_api_workload_attestation', () =>
      attest(caller, signal),
    )
    metrics.sample('workload_api_discovered_selectors', selectors.size)
    return selectors
  }
}

/** Whoever asks, it is one and the same measure. */
export function meterAttestor(attestor: WorkloadAttestor, metrics: Metrics): WorkloadAttestor {
  const labels = { attestor: attestor.type }
  const measure = <T>(attest: () => Promise<T>) =>
    metrics.measure('workload_api_workload_attestor', attest, labels)
  const { type, forBrokers } = attestor
  return {
    type,
    attest: (...args) => measure(async () => await attestor.attest(...args)),
    ...(forBrokers && {
      forBrokers: {
        attestProcess: (...args) => measure(() => forBrokers.attestProcess(...args)),
        attestObject: (...args) => measure(() => forBrokers.attestObject(...args)),
      },
    }),
  }
}

export function meterSigning(sign: SignX509, metrics: Metrics): SignX509 {
  return (requests, signal) =>
    metrics.measure('manager_sync_fetch_svids_updates', () => sign(requests, signal))
}

export function gaugeCache(
  { knowledge, svids }: Pick<WorkloadCache, 'knowledge' | 'svids'>,
  metrics: Metrics,
): void {
  metrics.gauge('lru_cache_record_map_size', () => knowledge().entries.size)
  metrics.gauge('lru_cache_svid_map_size', () => svids().size)
  metrics.gauge('sync_entries_total', () => knowledge().entries.size)
  metrics.gauge('sync_bundles_total', () => 1 + knowledge().federated.size)
}
