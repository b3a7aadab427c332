/**
 * SPIRE's notifier `k8sbundle`: the X.509 authorities as PEM under one key of a ConfigMap that is there already. Written
 * only when it differs, and against the version that was read, so that two servers never undo each other's change.
 *
 * @see https://github.com/spiffe/spire/blob/main/doc/plugin_server_notifier_k8sbundle.md
 */
import type { Cluster } from '../../kubernetes/cluster.ts'
import { recordAt, textAt } from '../../kubernetes/object.ts'
import { retryOnConflict } from '../../kubernetes/retry-on-conflict.ts'
import { configMapPath } from './k8s-configmap.ts'
import type { Publisher } from './publisher.ts'

export interface K8sBundleConfig {
  readonly kind: 'k8sbundle'
  /** Undefined: the service account of the pod we run in. */
  readonly kubeconfig: string | undefined
  readonly namespace: string
  readonly configMap: string
  readonly key: string
  /** Webhooks with this label are given the bundle; undefined: none. */
  readonly webhookLabel: string | undefined
  /** APIServices with this label are given the bundle; undefined: none. */
  readonly apiServiceLabel: string | undefined
}

export function k8sBundlePublisher(
  { namespace, configMap, key }: K8sBundleConfig,
  cluster: Cluster,
): Publisher {
  const path = configMapPath(namespace, configMap)
  return {
    ...{ name: 'k8sbundle', format: 'pem', refreshHintSeconds: undefined },
    publish: ({ text }, signal) =>
      retryOnConflict(async () => {
        const found = await cluster.request({ method: 'GET', path, signal })
        if (textAt(recordAt(found, 'data'), key) === text) return
        const resourceVersion = textAt(recordAt(found, 'metadata'), 'resourceVersion')
        await cluster.request({
          ...{ method: 'PATCH', path, signal },
          body: { metadata: { resourceVersion }, data: { [key]: text } },
        })
      }),
  }
}
