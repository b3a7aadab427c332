/**
 * Permissions that only a configuration of one's own needs, by `server.config` and `agent.config` of the chart: its roles do
 * not have them. The doctor asks for each that is needed; SECURITY.md tells of all of them.
 */

import type { ObjectName, Permission } from './permissions.ts'
import type { Configuration } from './read-configuration.ts'

/** A permission, and the part of a configuration that needs it. */
export interface ConfiguredPermission extends Permission {
  readonly setting: string
}

const ISTIO = 'mesh.istio_ca'
const LINKERD = 'mesh.linkerd'
const ELECTION = 'controller_manager.leader_election'
const CONFIG_MAPS = 'BundlePublisher "k8s_configmap"'
const WEBHOOK_LABEL = 'Notifier "k8sbundle" webhook_label'
const SERVICE_LABEL = 'Notifier "k8sbundle" api_service_label'
const BROKER = 'experimental.broker of the k8s attestor'

/** Only of the cluster that the server runs in: of others, kubeconfigs say who it is. */
const isIstio = ({ server }: Configuration) =>
  server.mesh.istioCa?.clusters.some(({ kubeconfig }) => kubeconfig === undefined) ?? false

const isLinkerd = ({ server: { mesh } }: Configuration) =>
  mesh.linkerd !== undefined && mesh.linkerd.kubeconfig === undefined

function leasesOf({ server: { controller } }: Configuration): readonly ObjectName[] {
  const lease = controller?.kubeconfig === undefined ? controller?.leaderElection : undefined
  return lease === undefined ? [] : [{ namespace: lease.namespace, name: lease.leaseName }]
}

const notifiers = ({ server }: Configuration) =>
  server.publishers.flatMap((one) =>
    one.kind === 'k8sbundle' && one.kubeconfig === undefined ? [one] : [],
  )

const configMaps = ({ server }: Configuration) =>
  server.publishers.flatMap((one) =>
    one.kind === 'k8s_configmap' && one.kubeconfig === undefined
      ? [{ namespace: one.namespace, name: one.configMap }]
      : [],
  )

const brokerOf = ({ agent }: Configuration) =>
  agent.workloadAttestors.find((one) => one.kind === 'k8s')?.broker

const inCluster = { who: 'server', scope: 'cluster' } as const
const ofAgent = { who: 'agent', scope: 'cluster' } as const
const REVIEWS = { group: 'authentication.k8s.io', resource: 'tokenreviews' }
const ELECTING = {
  who: 'server',
  group: 'coordination.k8s.io',
  resource: 'leases',
  setting: ELECTION,
  why: 'agree which of several servers registers workloads',
  isNeeded: (configuration: Configuration) => leasesOf(configuration).length > 0,
} as const
const KEEP = 'keep the caBundle of those with the label equal to the trust bundle'
const TRUSTING = { ...inCluster, verbs: ['list', 'watch', 'patch'] } as const

export const CONFIGURED_PERMISSIONS: readonly ConfiguredPermission[] = [
  {
    ...{ ...inCluster, ...REVIEWS, verbs: ['create'], setting: ISTIO },
    why: 'ask whose token a sidecar or a ztunnel shows',
    isNeeded: isIstio,
  },
  {
    ...{ ...inCluster, group: '', resource: 'pods', verbs: ['list', 'watch'], setting: ISTIO },
    why: 'know which pods are on the node of a ztunnel',
    isNeeded: isIstio,
  },
  {
    ...{ ...inCluster, ...REVIEWS, verbs: ['create'], setting: LINKERD },
    why: 'ask whose token a Linkerd proxy shows',
    isNeeded: isLinkerd,
  },
  {
    ...{ ...ELECTING, scope: 'own', verbs: ['create'] },
    names: (configuration) => leasesOf(configuration).map((lease) => ({ ...lease, name: '' })),
  },
  { ...ELECTING, scope: 'named', verbs: ['get', 'update'], names: leasesOf },
  {
    ...{ who: 'server', scope: 'named', group: '', resource: 'configmaps' },
    ...{ verbs: ['create', 'patch'], names: configMaps, setting: CONFIG_MAPS },
    why: 'publish the trust bundle there',
    isNeeded: (configuration) => configMaps(configuration).length > 0,
  },
  ...['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'].map((resource) => ({
    ...{ ...TRUSTING, group: 'admissionregistration.k8s.io', resource, setting: WEBHOOK_LABEL },
    why: KEEP,
    isNeeded: (configuration: Configuration) =>
      notifiers(configuration).some(({ webhookLabel }) => webhookLabel !== undefined),
  })),
  {
    ...{ ...TRUSTING, group: 'apiregistration.k8s.io', resource: 'apiservices' },
    ...{ setting: SERVICE_LABEL, why: KEEP },
    isNeeded: (configuration) =>
      notifiers(configuration).some(({ apiServiceLabel }) => apiServiceLabel !== undefined),
  },
  {
    ...{ ...ofAgent, group: '', resource: 'pods', verbs: ['get', 'list'], setting: BROKER },
    why: 'find pods of other nodes for brokers with that scope; other kinds of objects that brokers name need the same',
    isNeeded: (configuration) =>
      brokerOf(configuration)?.brokers.some(({ podScope }) => podScope === 'cluster') ?? false,
  },
  {
    ...{ ...ofAgent, group: 'authorization.k8s.io', resource: 'subjectaccessreviews' },
    ...{ verbs: ['create'], setting: BROKER },
    why: 'ask, under `access_policy = "enforced"`, whether a broker may act for an object',
    isNeeded: (configuration) => brokerOf(configuration)?.accessPolicy === 'enforced',
  },
]
