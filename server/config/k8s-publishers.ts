/**
 * Where the bundle is published in Kubernetes, with SPIRE's keys: a ConfigMap by `k8s_configmap`, a ConfigMap and
 * labelled webhooks by the notifier `k8sbundle`; and a ClusterTrustBundle, which is ours.
 *
 * @see https://github.com/spiffe/spire/blob/main/doc/plugin_server_bundlepublisher_k8s_configmap.md
 * @see https://github.com/spiffe/spire/blob/main/doc/plugin_server_notifier_k8sbundle.md
 */

import {
  nest,
  optional,
  placeOf,
  type Read,
  refine,
  required,
  section,
  withDefault,
} from '../../config/check.ts'
import { eachOf } from '../../config/each-of.ts'
import { namespaceName, objectName } from '../../config/kubernetes-name.ts'
import { addMistake, addWarning } from '../../config/mistake.ts'
import { named } from '../../config/named.ts'
import { choice, seconds, text, textLike } from '../../config/value.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import type { K8sBundleConfig } from '../publish/k8s-bundle.ts'
import {
  isSignerName,
  isTrustBundleName,
  type TrustBundlePublisherConfig,
  trustBundlePrefix,
} from '../publish/k8s-cluster-trust-bundle.ts'
import type { ConfigMapPublisherConfig } from '../publish/k8s-configmap.ts'

const IN_POD = 'that of the pod’s service account when left out'
const LABEL_NAME =
  /^(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?$/

const configMapName = () => objectName('the name of a ConfigMap')
const configMapKey = () => textLike(/^[-._a-zA-Z0-9]{1,253}$/, 'a key of a ConfigMap')
const labelName = () => textLike(LABEL_NAME, 'the name of a label')

const configMapCluster = section({
  format: required(choice(['spiffe', 'jwks', 'pem']), 'form of the bundle'),
  namespace: required(namespaceName(), 'namespace of the ConfigMap'),
  configmap_name: required(configMapName(), 'ConfigMap, made if it is not there'),
  configmap_key: required(configMapKey(), 'key in the ConfigMap'),
  kubeconfig_path: optional(text('a path'), `kubeconfig of the cluster; ${IN_POD}`),
  refresh_hint: optional(
    seconds(),
    'how often readers shall look again, in the spiffe format; that of the bundle when left out',
  ),
})

const configMapKeys = section({
  clusters: nest(named(configMapCluster), 'clusters by name'),
})

export const configMapPublisher = refine(configMapKeys, (read, { report }) => {
  if (read.clusters !== undefined && read.clusters.length === 0) {
    const why = 'No clusters configured, bundle will not be published'
    addWarning(report, placeOf(read, 'clusters'), `BundlePublisher.k8s_configmap: ${why}`)
  }
  return {}
})

export function configMapConfigs({
  clusters,
}: Read<(typeof configMapKeys)['keys']>): readonly ConfigMapPublisherConfig[] {
  return clusters.map((one) => ({
    kind: 'k8s_configmap',
    clusterName: one.name,
    kubeconfig: one.kubeconfig_path,
    namespace: one.namespace,
    configMap: one.configmap_name,
    key: one.configmap_key,
    format: one.format,
    refreshHintSeconds: one.refresh_hint,
  }))
}

const notifierKeys = {
  namespace: withDefault(namespaceName(), 'spire', 'namespace of the ConfigMap'),
  config_map: withDefault(configMapName(), 'spire-bundle', 'ConfigMap, which must be there'),
  config_map_key: withDefault(configMapKey(), 'bundle.crt', 'key in the ConfigMap'),
  webhook_label: optional(
    labelName(),
    'label of webhooks that are given the bundle as caBundle, with the value true',
  ),
  api_service_label: optional(
    labelName(),
    'label of APIServices that are given the bundle as caBundle, with the value true',
  ),
}

const notifierCluster = section({
  ...notifierKeys,
  kube_config_file_path: required(text('a path'), 'kubeconfig of the cluster'),
})

const ownCluster = section({
  ...notifierKeys,
  kube_config_file_path: optional(text('a path'), `kubeconfig of the cluster; ${IN_POD}`),
  clusters: optional(eachOf(notifierCluster), 'further clusters'),
})

/** As in SPIRE, the cluster of the section itself is left out when only `clusters` is written. */
export const k8sBundle = {
  ...ownCluster,
  read: (...[found, spot, context]: Parameters<typeof ownCluster.read>) => {
    const read = ownCluster.read(found, spot, context)
    if (read === undefined) return undefined
    const isWritten = Object.keys(ownCluster.keys).some(
      (key) => key !== 'clusters' && placeOf(read, key) !== placeOf(read, ''),
    )
    return { ...read, hasOwnCluster: isWritten || (read.clusters ?? []).length === 0 }
  },
}

type ClusterRead = Omit<Read<(typeof notifierCluster)['keys']>, 'kube_config_file_path'> & {
  readonly kube_config_file_path: string | undefined
}

export function k8sBundleConfigs(
  read: NonNullable<ReturnType<typeof k8sBundle.read>>,
): readonly K8sBundleConfig[] {
  const own: readonly ClusterRead[] = read.hasOwnCluster ? [read] : []
  return [...own, ...(read.clusters ?? [])].map((one) => ({
    kind: 'k8sbundle',
    kubeconfig: one.kube_config_file_path,
    namespace: one.namespace,
    configMap: one.config_map,
    key: one.config_map_key,
    webhookLabel: one.webhook_label,
    apiServiceLabel: one.api_service_label,
  }))
}

const trustBundleKeys = section({
  signer_name: optional(
    text('domain/name'),
    'signer of the ClusterTrustBundle; one of no signer when left out',
  ),
  name: optional(
    text(),
    'name of the ClusterTrustBundle; that of the trust domain, behind its signer’s, when left out',
  ),
  kubeconfig_path: optional(text('a path'), `kubeconfig of the cluster; ${IN_POD}`),
})

export const trustBundlePublisher = refine(trustBundleKeys, (read, { report }) => {
  const { signer_name: signer, name } = read
  const where = 'BundlePublisher.k8s_cluster_trust_bundle'
  if (signer !== undefined && !isSignerName(signer)) {
    const message = `${where}.signer_name is ${JSON.stringify(signer)}`
    addMistake(report, placeOf(read, 'signer_name'), message, 'a domain, a slash and a name')
  } else if (name !== undefined && !isTrustBundleName(name, signer)) {
    const message = `${where}.name is ${JSON.stringify(name)}`
    const prefix = trustBundlePrefix(signer)
    const expected = `${prefix === '' ? '' : `${prefix} and `}lower-case letters, digits, dots and dashes`
    addMistake(report, placeOf(read, 'name'), message, expected)
  }
  return {}
})

/** A trust domain may have what names of objects may not; the dash that stands for it is told by nobody else. */
export function trustBundleConfig(
  read: Read<(typeof trustBundleKeys)['keys']>,
  trustDomain: TrustDomain,
): TrustBundlePublisherConfig {
  const { signer_name: signerName, kubeconfig_path: kubeconfig } = read
  const name = read.name ?? `${trustBundlePrefix(signerName)}${trustDomain.replaceAll('_', '-')}`
  return { kind: 'k8s_cluster_trust_bundle', kubeconfig, signerName, name }
}
