/**
 * Publishes the bundle under one key of a ConfigMap, which is made if it is not there. It is applied on the server's
 * side under SPIRE's own field manager, so that other keys stay as they are and either program takes over from the other.
 *
 * @see https://github.com/spiffe/spire/blob/main/doc/plugin_server_bundlepublisher_k8s_configmap.md
 */
import type { Cluster } from '../../kubernetes/cluster.ts'
import type { PublishedFormat } from './published-text.ts'
import type { Publisher } from './publisher.ts'

export interface ConfigMapPublisherConfig {
  readonly kind: 'k8s_configmap'
  /** As the configuration calls it. */
  readonly clusterName: string
  /** Undefined: the service account of the pod we run in. */
  readonly kubeconfig: string | undefined
  readonly namespace: string
  readonly configMap: string
  readonly key: string
  readonly format: PublishedFormat
  readonly refreshHintSeconds: number | undefined
}

const FIELD_MANAGER = 'spire-bundlepublisher-k8s_configmap'

export function configMapPublisher(
  { namespace, configMap, key, format, refreshHintSeconds }: ConfigMapPublisherConfig,
  cluster: Cluster,
): Publisher {
  return {
    ...{ name: 'k8s_configmap', format, refreshHintSeconds },
    async publish({ text }, signal) {
      await cluster.request({
        ...{ method: 'PATCH', path: configMapPath(namespace, configMap), signal },
        query: { fieldManager: FIELD_MANAGER },
        contentType: 'application/apply-patch+yaml',
        body: {
          ...{ apiVersion: 'v1', kind: 'ConfigMap' },
          metadata: { name: configMap, namespace },
          data: { [key]: text },
        },
      })
    },
  }
}

export function configMapPath(namespace: string, name: string): string {
  return `/api/v1/namespaces/${namespace}/configmaps/${name}`
}
