/**
 * One time of leading: follows the cluster, waits until all of it has been read, and then keeps entries, relationships
 * and statuses in step with it until the signal aborts. It keeps nothing for the next time.
 */
import type { Cluster } from '../../kubernetes/cluster.ts'
import type { Leadership } from '../../kubernetes/lease.ts'
import type { Log } from '../../log/open-log.ts'
import { aborted } from '../../spiffe/aborted.ts'
import { type Bell, createBell } from '../../spiffe/bell.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import type { Random } from '../../spiffe/random.ts'
import { runLoops } from '../../spiffe/running-loops.ts'
import type { Store } from '../store/store.ts'
import { clusterCopies } from './cluster-copies.ts'
import type { ControllerConfig } from './controller-config.ts'
import { createDesiredEntries, type DesiredEntries } from './desired-entries.ts'
import { createDesiredRelationships, type DesiredRelationships } from './desired-relationships.ts'
import { keepRelationships } from './keep-relationships.ts'
import { createOwnedEntries } from './owned-entries.ts'
import { reconcile } from './reconcile.ts'
import { parseParentIdTemplate } from './render-entry.ts'
import { conditionsOf, tally } from './tally.ts'
import { createStatusWriter, type StatusTarget } from './write-statuses.ts'

export interface ControllerDeps {
  readonly cluster: Cluster
  readonly trustDomain: TrustDomain
  readonly dataDir: string
  readonly store: Pick<Store, 'entries' | 'changes' | 'federation' | 'turns'>
  /** A federation relationship was written. */
  readonly onRelationship: () => void
  /** Undefined: no audit log is kept. */
  readonly auditLog: Log | undefined
  readonly randomUuid: () => string
  readonly random: Random
  readonly clock: Clock
  readonly log: Log
}

/** Statuses are written at most this often. */
const STATUS_PAUSE_MS = 500
const RETRY_MS = 5_000
/** Entries and trust domains named in a line of the audit log. */
const MAX_NAMED = 50

export async function runController(
  config: ControllerConfig,
  deps: ControllerDeps,
  leadership: Leadership,
): Promise<void> {
  const { signal } = leadership
  const bells = { entries: createBell(), relationships: createBell(), statuses: createBell() }
  const desired = createDesiredEntries({
    settings: {
      trustDomain: deps.trustDomain,
      ...{ clusterName: config.clusterName, clusterDomain: config.clusterDomain },
      parentIdTemplate: parseParentIdTemplate(config.parentIdTemplate),
    },
    ignoredNamespaces: config.ignoredNamespaces.map((pattern) => new RegExp(pattern)),
  })
  const relationships = createDesiredRelationships()
  const copies = clusterCopies(
    {
      ...{ trustDomain: deps.trustDomain, classes: config, entries: desired, relationships },
      onChange: bells.entries.ring,
      onResource() {
        bells.relationships.ring()
        bells.statuses.ring()
      },
    },
    deps,
  )
  await using following = runLoops(copies.loops)
  await Promise.race([copies.complete, following.failed, aborted(signal)])
  if (signal.aborted) return
  deps.log.info({ cluster: config.clusterName }, 'Registering workloads of the cluster')
  const found = { failures: new Map<string, string>(), problems: new Map<string, string>() }
  const work = { config, deps, leadership, bells, desired, relationships, found }
  await using working = runLoops([
    (stop) => keepEntries(work, stop),
    (stop) => keepFederation(work, stop),
    (stop) => keepStatuses(work, stop),
  ])
  await Promise.race([working.failed, following.failed, aborted(signal)])
}

interface Work {
  readonly config: ControllerConfig
  readonly deps: ControllerDeps
  readonly leadership: Leadership
  readonly bells: Readonly<Record<'entries' | 'relationships' | 'statuses', Bell>>
  readonly desired: DesiredEntries
  readonly relationships: DesiredRelationships
  /** What is not as declared: by the key of an entry, by the UID of an object. */
  readonly found: { failures: ReadonlyMap<string, string>; problems: ReadonlyMap<string, string> }
}

async function keepEntries(work: Work, signal: AbortSignal): Promise<void> {
  const { config, deps, leadership, bells, desired, found } = work
  const stopListening = deps.store.changes.onCommit(bells.entries.ring)
  await reconcile(
    {
      ...{ desired, bell: bells.entries, clock: deps.clock, log: deps.log },
      entries: deps.store.entries,
      owned: createOwnedEntries(deps.store, config.entryIdPrefix),
      gcIntervalMs: config.gcIntervalMs,
      newId: () => `${config.entryIdPrefix}${deps.randomUuid()}`,
      mustLead: leadership.mustLead,
      audit: (method, entries) =>
        audit(deps, 'spire.api.server.entry.v1.Entry', method, {
          entry_ids: entries.slice(0, MAX_NAMED).map(({ id }) => id),
          spiffe_ids: entries.slice(0, MAX_NAMED).flatMap(({ spiffeId }) => spiffeId ?? []),
          count: entries.length,
        }),
      onSettled(failures) {
        found.failures = new Map(failures)
        bells.statuses.ring()
      },
    },
    signal,
  )
  stopListening()
}

async function keepFederation(work: Work, signal: AbortSignal): Promise<void> {
  const { config, deps, leadership, bells, relationships, found } = work
  const { clock, log } = deps
  const kept = await keepRelationships(relationships, {
    ...{ federation: deps.store.federation, dataDir: deps.dataDir, log },
    onWritten: deps.onRelationship,
    mustLead: leadership.mustLead,
    audit: (method, trustDomain) =>
      audit(deps, 'spire.api.server.trustdomain.v1.TrustDomain', method, {
        trust_domain_ids: [trustDomain],
        count: 1,
      }),
  })
  while (!signal.aborted) {
    bells.relationships.reset()
    try {
      found.problems = await kept.settle()
      bells.statuses.ring()
      await clock.sleep(
        config.gcIntervalMs,
        AbortSignal.any([bells.relationships.signal(), signal]),
      )
    } catch (err) {
      if (signal.aborted) return
      log.error({ err }, 'Federation of the cluster could not be brought up to date; trying again')
      await clock.sleep(RETRY_MS, signal)
    }
  }
}

async function keepStatuses(work: Work, signal: AbortSignal): Promise<void> {
  const { deps, leadership, bells } = work
  const { clock, log } = deps
  const writer = createStatusWriter({ ...deps, mustLead: leadership.mustLead })
  while (!signal.aborted) {
    bells.statuses.reset()
    try {
      const failed = await writer.write(statusTargets(work), signal)
      if (failed > 0) await clock.sleep(RETRY_MS, signal)
      else await untilRung(bells.statuses.signal(), signal)
    } catch (err) {
      if (!signal.aborted) log.error({ err }, 'Statuses could not be written; trying again')
    }
    await clock.sleep(STATUS_PAUSE_MS, signal)
  }
}

function statusTargets({ desired, relationships, found }: Work): readonly StatusTarget[] {
  const wanted = tally(desired, found.failures)
  const of = (plural: string, resources: Iterable<StatusTarget['resource']>): StatusTarget[] =>
    [...resources].flatMap((resource) => {
      const status = wanted.get(resource.meta.uid)
      return status === undefined ? [] : [{ plural, resource, wanted: status }]
    })
  return [
    ...of('clusterspiffeids', desired.spiffeIds.values()),
    ...of('clusterstaticentries', desired.statics.values()),
    ...[...relationships.resources.values()].map((resource) => ({
      plural: 'clusterfederatedtrustdomains',
      resource,
      wanted: {
        fields: {},
        conditions: conditionsOf(resource, found.problems.get(resource.meta.uid)),
      },
    })),
  ]
}

/** The controller is a caller like any other: what it writes is told as what the API would have been asked for. */
function audit(
  { auditLog, randomUuid }: ControllerDeps,
  service: string,
  method: string,
  fields: Readonly<Record<string, unknown>>,
): void {
  auditLog?.info(
    {
      ...{ type: 'audit', request_id: randomUuid(), service, method },
      ...{ caller: 'controller_manager', authorized_as: 'local', status: 'success' },
      ...fields,
    },
    'API accessed',
  )
}

async function untilRung(rung: AbortSignal, signal: AbortSignal): Promise<void> {
  await aborted(AbortSignal.any([rung, signal]))
}
