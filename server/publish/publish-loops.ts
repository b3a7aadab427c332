/**
 * The loops that publish the bundle, one for each place in the configuration: none waits for another. A cluster that
 * several of them write to is opened once. To a place that several servers share, one of them publishes at a time.
 */
import type { Cluster } from '../../kubernetes/cluster.ts'
import { clusterIdentity } from '../../kubernetes/cluster-identity.ts'
import { openCluster } from '../../kubernetes/open-cluster.ts'
import type { Log } from '../../log/open-log.ts'
import type { Loop } from '../../spiffe/running-loops.ts'
import type { Turns } from '../store/turns.ts'
import { type CaBundleKind, keepCaBundles } from './ca-bundles.ts'
import type { K8sBundleConfig } from './k8s-bundle.ts'
import { type PublishDeps, publishBundle } from './publish-bundle.ts'
import { type Attempts, publicationTurn, publishInTurn } from './publish-in-turn.ts'
import { openPublisher, type PublisherConfig } from './publisher.ts'

export interface PublishLoopsDeps extends Pick<PublishDeps, 'bundle' | 'clock' | 'random'> {
  readonly turns: Pick<Turns, 'hold' | 'isShared'>
  readonly log: Log
}

export interface Publishing extends AsyncDisposable {
  readonly loops: readonly Loop[]
}

/** Disposing closes the clusters: first end the loops. @throws IdentityError CONFIG_INVALID when a kubeconfig cannot be used */
export async function openPublishing(
  configs: readonly PublisherConfig[],
  deps: PublishLoopsDeps,
): Promise<Publishing> {
  await using stack = new AsyncDisposableStack()
  const clusters = new Map<string, Cluster>()
  const cluster = async (kubeconfig: string | undefined) => {
    const known = clusters.get(kubeconfig ?? '')
    if (known !== undefined) return known
    const opened = stack.use(await openCluster({ kubeconfig }))
    clusters.set(kubeconfig ?? '', opened)
    return opened
  }
  const loops: Loop[] = []
  for (const config of configs) {
    const publisher = await openPublisher(config, { clock: deps.clock, cluster })
    const webhooks =
      config.kind === 'k8sbundle'
        ? caBundleLoops(config, await cluster(config.kubeconfig), deps)
        : []
    const publish = (attempts: Attempts): readonly Loop[] => [
      (signal) => publishBundle({ ...deps, publisher, ...reports(config, attempts, deps) }, signal),
      ...webhooks,
    ]
    const turn = publicationTurn(config, await identityOf(config, deps))
    loops.push(...(turn === undefined ? publish(IGNORED) : [publishInTurn(turn, deps, publish)]))
  }
  const opened = stack.move()
  return { loops, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

/** Where nobody else could do better. */
const IGNORED: Attempts = { failed() {}, succeeded() {} }

async function identityOf(
  config: PublisherConfig,
  { turns }: PublishLoopsDeps,
): Promise<string | undefined> {
  const isInCluster = turns.isShared && 'kubeconfig' in config
  return isInCluster ? await clusterIdentity(config.kubeconfig) : undefined
}

function reports(
  config: PublisherConfig,
  attempts: Attempts,
  { log }: PublishLoopsDeps,
): Pick<PublishDeps, 'onPublished' | 'onFailure' | 'onNoSuchPlace'> {
  const fields = { plugin_name: config.kind, ...placeOf(config) }
  let isTold = false
  return {
    onPublished({ sequenceNumber }) {
      isTold = false
      attempts.succeeded()
      log.debug({ ...fields, sequence_number: sequenceNumber }, 'Bundle published')
    },
    onFailure(err, retryMs) {
      log.error({ ...fields, err, retry_ms: Math.round(retryMs) }, 'Failed to publish bundle')
      attempts.failed()
    },
    onNoSuchPlace(err) {
      if (!isTold) log.warn({ ...fields, err }, 'Bundle is not published: there is no such place')
      isTold = true
    },
  }
}

/** What tells several publishers of one kind apart. */
function placeOf(config: PublisherConfig): Readonly<Record<string, string>> {
  switch (config.kind) {
    case 'k8s_configmap':
      return { cluster_id: config.clusterName, namespace: config.namespace, name: config.configMap }
    case 'k8sbundle':
      return { namespace: config.namespace, name: config.configMap }
    case 'k8s_cluster_trust_bundle':
      return { name: config.name }
    case 'file':
    case 'aws_s3':
      return {}
    default:
      return config satisfies never
  }
}

function caBundleLoops(
  { webhookLabel, apiServiceLabel }: K8sBundleConfig,
  cluster: Cluster,
  deps: PublishLoopsDeps,
): readonly Loop[] {
  const keep = (kind: CaBundleKind, label: string | undefined): readonly Loop[] =>
    label === undefined
      ? []
      : [(signal) => keepCaBundles({ ...deps, cluster, kind, label }, signal)]
  return [
    ...keep('mutating-webhooks', webhookLabel),
    ...keep('validating-webhooks', webhookLabel),
    ...keep('api-services', apiServiceLabel),
  ]
}
