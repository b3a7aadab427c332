/** What the agent measures, under SPIRE's names: one function for each part of it. */
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import type { Endpoint } from '../../proto/serve.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { rpcName } from '../../telemetry/rpc-name.ts'
import type { Attest } from '../attest/attest.ts'
import type { WorkloadAttestor } from '../attest/workload-attestor.ts'
import { type WhyDue, whyDue } from '../cache/svid-plan.ts'
import type { EntryChange, WorkloadCache } from '../cache/workload-cache.ts'
import type { SignX509 } from '../cache/x509-svids.ts'
import { taintedKeyIds } from '../tainted-keys.ts'

const WORKLOAD_API = '/SpiffeWorkloadAPI/'
const SDS_API = '/envoy.service.secret.v3.SecretDiscoveryService/'
const DEBUG_API = '/spire.agent.debug.v1.Debug/'
const LOGGER_API = '/spire.api.agent.logger.v1.Logger/'
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
  if (method.startsWith(LOGGER_API)) return 'logger_api'
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

type Held = Pick<WorkloadCache, 'knowledge' | 'svids'>

/** In SPIRE's words. It has none for SVIDs from before the clock was set back: how long those live cannot be told either. */
const REASONS: Readonly<Record<WhyDue, string>> = {
  tainted: 'tainted_x509_svids',
  outdated: 'outdated_svids',
  expiring: 'expiring_svids',
  'of-the-future': 'expiring_svids',
}

/** Of those that are asked for, the ones that are there already are told by why they are replaced. */
export function meterSigning(
  sign: SignX509,
  held: Held,
  clock: Pick<Clock, 'now'>,
  metrics: Metrics,
): SignX509 {
  return (requests, signal) => {
    const reasons = requests.flatMap(({ entryId }) => whyReplaced(entryId, held, clock.now()) ?? [])
    for (const [reason, all] of Map.groupBy(reasons, (why) => REASONS[why]))
      metrics.sample(`cache_manager_${reason}_workload`, all.length)
    return metrics.measure('manager_sync_fetch_svids_updates', () => sign(requests, signal))
  }
}

/** Undefined: there is none yet, or its entry has just gone. */
function whyReplaced(entryId: string, { knowledge, svids }: Held, now: Date): WhyDue | undefined {
  const { entries, bundle } = knowledge()
  const svid = svids().get(entryId)
  const entry = entries.get(entryId)
  if (svid === undefined || entry === undefined) return undefined
  return whyDue(svid, entry, { taintedKeyIds: taintedKeyIds(bundle), now }).why
}

/**
 * Of entries: how many have come, changed and gone since the start, and what the last update of the server has made of
 * them. SPIRE calls those missing that it had not, and those stale that had changed.
 */
export function meterEntries(metrics: Metrics): (change: EntryChange) => void {
  let last: EntryChange = { added: 0, updated: 0, removed: 0 }
  metrics.gauge('sync_entries_missing', () => last.added)
  metrics.gauge('sync_entries_stale', () => last.updated)
  metrics.gauge('sync_entries_dropped', () => last.removed)
  return (change) => {
    last = change
    metrics.count('lru_cache_entry_add', {}, change.added)
    metrics.count('lru_cache_entry_update', {}, change.updated)
    metrics.count('lru_cache_entry_remove', {}, change.removed)
  }
}

export function gaugeCache({ knowledge, svids }: Held, metrics: Metrics): void {
  metrics.gauge('lru_cache_record_map_size', () => knowledge().entries.size)
  metrics.gauge('lru_cache_svid_map_size', () => svids().size)
  metrics.gauge('sync_entries_total', () => knowledge().entries.size)
  metrics.gauge('sync_bundles_total', () => 1 + knowledge().federated.size)
}
