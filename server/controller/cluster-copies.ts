/**
 * What the controller follows in the cluster. Each kind is listed once and watched from then on; `complete` resolves when
 * every one of them has been read, because before that nothing may be taken for removed.
 */
import type { Cluster } from '../../kubernetes/cluster.ts'
import {
  copyObjects,
  type Followed,
  type FollowOptions,
  type ObjectChange,
  type ObjectCopy,
} from '../../kubernetes/follow-objects.ts'
import type { Log } from '../../log/open-log.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import type { Random } from '../../spiffe/random.ts'
import type { Loop } from '../../spiffe/running-loops.ts'
import { parseClusterFederatedTrustDomainSpec } from './cluster-federated-trust-domain.ts'
import { readEndpoints, readNamespace, readNode, readPod } from './cluster-objects.ts'
import { parseClusterSpiffeIdSpec } from './cluster-spiffe-id.ts'
import { parseClusterStaticEntrySpec } from './cluster-static-entry.ts'
import { type ClassSettings, type CustomResource, resourceReader } from './custom-resource.ts'
import type { DesiredEntries } from './desired-entries.ts'
import type { DesiredRelationships } from './desired-relationships.ts'

/** Of our custom resources. */
export const GROUP_PATH = '/apis/spire.spiffe.io/v1alpha1'

export interface CopyDeps {
  readonly cluster: Cluster
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export interface CopyOptions {
  readonly trustDomain: TrustDomain
  readonly classes: ClassSettings
  readonly entries: DesiredEntries
  readonly relationships: DesiredRelationships
  /** Something changed. */
  readonly onChange: () => void
  /** One of our own resources did. */
  readonly onResource: () => void
}

export interface ClusterCopies {
  readonly complete: Promise<unknown>
  readonly loops: readonly Loop[]
  /** Why what is known may be old; undefined while it is not. */
  problem(): string | undefined
}

export function clusterCopies(options: CopyOptions, deps: CopyDeps): ClusterCopies {
  const { entries, relationships, classes, trustDomain, onChange, onResource } = options
  const copy = <T extends Followed>(
    path: string,
    read: FollowOptions<T>['read'],
    changed: (change: ObjectChange<T>) => void,
  ): ObjectCopy<T> =>
    copyObjects({
      ...deps,
      ...{ path, read },
      changed: (change) => {
        changed(change)
        onChange()
      },
    })
  const resource = <S>(
    plural: string,
    parse: (spec: unknown) => S,
    changed: (change: ObjectChange<CustomResource<S>>) => void,
  ) =>
    copy(`${GROUP_PATH}/${plural}`, resourceReader(classes, parse), (change) => {
      changed(change)
      onResource()
    })
  const all = [
    copy('/api/v1/namespaces', readNamespace, entries.namespaceChanged),
    copy('/api/v1/nodes', readNode, entries.nodeChanged),
    copy('/api/v1/pods', readPod, entries.podChanged),
    copy('/apis/discovery.k8s.io/v1/endpointslices', readEndpoints, entries.endpointsChanged),
    resource('clusterspiffeids', parseClusterSpiffeIdSpec, entries.spiffeIdChanged),
    resource(
      'clusterstaticentries',
      (spec) => parseClusterStaticEntrySpec(spec, trustDomain),
      entries.staticChanged,
    ),
    resource(
      'clusterfederatedtrustdomains',
      (spec) => parseClusterFederatedTrustDomainSpec(spec, trustDomain),
      relationships.changed,
    ),
  ]
  return {
    complete: Promise.all(all.map(({ complete }) => complete)),
    loops: all.map(({ follow }) => follow),
    problem: () => all.map((one) => one.problem()).find((why) => why !== undefined),
  }
}
