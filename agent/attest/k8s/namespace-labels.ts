/**
 * The labels of namespaces, by a watch at the API server. Those that are known stay known while it is away.
 *
 * Permissions: list and watch on namespaces.
 */
import type { Cluster } from '../../../kubernetes/cluster.ts'
import { copyObjects } from '../../../kubernetes/follow-objects.ts'
import type { Log } from '../../../log/open-log.ts'
import type { Clock } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { Random } from '../../../spiffe/random.ts'
import { createNews } from './news.ts'

export interface NamespaceLabels {
  /**
   * A namespace that is not known yet is waited for.
   * @throws IdentityError UNAVAILABLE when it does not come to be known, CANCELED when the signal aborts
   */
  labels(namespace: string, signal: AbortSignal): Promise<Readonly<Record<string, string>>>
  /** Until the signal aborts; never rejects. */
  follow(signal: AbortSignal): Promise<void>
}

export interface NamespaceLabelsDeps {
  readonly cluster: Cluster
  /** How long a namespace is waited for. */
  readonly patienceMs: number
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export function followNamespaceLabels(deps: NamespaceLabelsDeps): NamespaceLabels {
  const { cluster, patienceMs, clock, random, log } = deps
  const news = createNews(clock)
  const copy = copyObjects({
    ...{ cluster, clock, random, log },
    path: '/api/v1/namespaces',
    // Only what is asked for is kept of what may be thousands.
    read: (_, meta) => ({ meta: { ...meta, annotations: {}, owners: [] } }),
    changed: news.tell,
    synced: news.tell,
  })
  return {
    async labels(namespace, signal) {
      const found = await news.until(() => copy.get('', namespace), patienceMs, signal)
      if (found !== undefined) return found.meta.labels
      const why = copy.problem() ?? 'the API server does not tell of it'
      throw new IdentityError(
        'UNAVAILABLE',
        `unable to get namespace labels for "${namespace}": ${why}`,
      )
    },
    async follow(signal) {
      using _cluster = cluster
      await copy.follow(signal)
    },
  }
}
