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

/** Calls on the workload socket. As SPIRE's, a connection is a call of the Workload API that is open. */
export function observeWorkloadApi(metrics: Metrics): NonNullable<Endpoint<UnixCaller>['observe']> {
  return (method) => {
    const ended = metrics.call(rpcName(method).metric)
    if (!method.startsWith(WORKLOAD_API)) return ({ error }) => ended(error)
    metrics.count('workload_api_connection')
    metrics.add('workload_api_connections', 1)
    return ({ error }) => {
      ended(error)
      metrics.add('workload_api_connections', -1)
    }
  }
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

export function meterAttestor(attestor: WorkloadAttestor, metrics: Metrics): WorkloadAttestor {
  const labels = { attestor: attestor.type }
  return {
    type: attestor.type,
    attest: (caller, signal) =>
      metrics.measure(
        'workload_api_workload_attestor',
        async () => await attestor.attest(caller, signal),
        labels,
      ),
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
