/**
 * Every permission in a cluster that the roles of the chart have, and what for. The doctor asks the API server for each that
 * a configuration needs; SECURITY.md and those roles are compared with this table by a test. What else a configuration can
 * need is in `configured-permissions`.
 */
import type { Configuration } from './read-configuration.ts'

export interface Permission {
  /** `proxy`: the service accounts of the workloads that have one, in each namespace of theirs. */
  readonly who: 'server' | 'agent' | 'proxy'
  /** Empty for the core group. */
  readonly group: string
  /** With its subresource, e.g. `nodes/pods`. */
  readonly resource: string
  /** Allows the same and more: for clusters that know nothing finer. */
  readonly coarser?: string
  readonly verbs: readonly string[]
  /** `cluster`: everywhere; `own`: in the namespace of the chart, or in another that is configured; `named`: these objects alone. */
  readonly scope: 'cluster' | 'own' | 'named'
  readonly why: string
  /** Of the objects, for `named`; of the namespace, without a name, where `own` may be another one. */
  readonly names?: (configuration: Configuration) => readonly ObjectName[]
  /** Where it is only used when the chart's value says so: that value. */
  readonly value?: string
  isNeeded(configuration: Configuration): boolean
}

export interface ObjectName {
  /** Empty for what is in no namespace; undefined: that of the pod which asks. */
  readonly namespace: string | undefined
  readonly name: string
}

const isPsat = ({ server }: Configuration) =>
  server.nodeAttestors.some(({ kind }) => kind === 'k8s_psat')

const hasController = ({ server }: Configuration) => server.controller !== undefined

const bundles = ({ server }: Configuration): readonly ObjectName[] =>
  server.publishers.flatMap((one) =>
    one.kind === 'k8sbundle' && one.kubeconfig === undefined
      ? [{ namespace: one.namespace, name: one.configMap }]
      : [],
  )

const webhooks = ({ server }: Configuration): readonly ObjectName[] => {
  const name = server.controller?.webhook?.validatingName
  return name === undefined ? [] : [{ namespace: '', name }]
}

const injecting = ({ server }: Configuration): readonly ObjectName[] => {
  const name = server.controller?.webhook?.mutatingName
  return name === undefined ? [] : [{ namespace: '', name }]
}

const trustBundles = ({ server }: Configuration) =>
  server.publishers.flatMap((one) => (one.kind === 'k8s_cluster_trust_bundle' ? [one] : []))

const signers = (names: readonly (string | undefined)[]): readonly ObjectName[] =>
  names.flatMap((name) => (name === undefined ? [] : [{ namespace: '', name }]))

const k8sAttestor = ({ agent }: Configuration) =>
  agent.workloadAttestors.find((one) => one.kind === 'k8s')

const followsPolicies = ({ server }: Configuration) => server.policyStatus !== undefined
const signsPods = ({ server }: Configuration) => server.podCertificates.length > 0

const CERTIFICATES = 'certificates.k8s.io'
const OUR_KINDS = ['clusterspiffeids', 'clusterstaticentries', 'clusterfederatedtrustdomains']
const POLICY_KINDS = ['peerauthentications', 'authorizationpolicies', 'requestauthentications']

/** The same for each of several kinds. */
const each = (
  resources: readonly string[],
  permission: Omit<Permission, 'resource'>,
): readonly Permission[] => resources.map((resource) => ({ ...permission, resource }))

const inCluster = { who: 'server', scope: 'cluster' } as const
const named = { who: 'server', scope: 'named' } as const

export const PERMISSIONS: readonly Permission[] = [
  {
    ...{ ...inCluster, group: 'authentication.k8s.io', resource: 'tokenreviews' },
    verbs: ['create'],
    why: 'ask whose token an agent shows',
    isNeeded: isPsat,
  },
  {
    ...{ ...inCluster, group: '', resource: 'pods', verbs: ['get'] },
    why: 'find the pod that the token of an agent is bound to',
    isNeeded: isPsat,
  },
  {
    ...{ ...inCluster, group: '', resource: 'nodes', verbs: ['get'] },
    why: 'find the UID and the labels of the node of that pod',
    isNeeded: isPsat,
  },
  {
    ...{ ...named, group: '', resource: 'configmaps', verbs: ['get', 'patch'], names: bundles },
    why: 'publish the trust bundle, by which agents know the server',
    isNeeded: (configuration) => bundles(configuration).length > 0,
  },
  ...each(['pods', 'nodes', 'namespaces'], {
    ...{ ...inCluster, group: '', verbs: ['list', 'watch'] },
    why: 'register the pods that a ClusterSPIFFEID selects, with the agent of their node as parent',
    isNeeded: hasController,
  }),
  {
    ...{ ...inCluster, group: 'discovery.k8s.io', resource: 'endpointslices' },
    verbs: ['list', 'watch'],
    why: 'find the Services of a pod, for the DNS names of its SVID',
    isNeeded: hasController,
  },
  ...each(OUR_KINDS, {
    ...{ ...inCluster, group: 'spire.spiffe.io', verbs: ['list', 'watch'] },
    why: 'know what is to be registered and with whom to federate',
    isNeeded: hasController,
  }),
  ...each(
    OUR_KINDS.map((kind) => `${kind}/status`),
    {
      ...{ ...inCluster, group: 'spire.spiffe.io', verbs: ['patch'] },
      why: 'say in their status what came of them',
      isNeeded: hasController,
    },
  ),
  {
    ...{ ...named, group: 'admissionregistration.k8s.io', names: webhooks },
    ...{ resource: 'validatingwebhookconfigurations', verbs: ['list', 'watch', 'patch'] },
    why: 'keep the caBundle equal to the trust bundle, so that the API server believes our webhook',
    isNeeded: (configuration) => webhooks(configuration).length > 0,
  },
  {
    ...{ ...named, group: 'admissionregistration.k8s.io', names: injecting },
    ...{ resource: 'mutatingwebhookconfigurations', verbs: ['list', 'watch', 'patch'] },
    why: 'keep the caBundle of the webhook that puts proxies into pods equal to it too',
    value: 'injection.enabled',
    isNeeded: (configuration) => injecting(configuration).length > 0,
  },
  ...each(POLICY_KINDS, {
    ...{ ...inCluster, group: 'security.istio.io', verbs: ['list', 'watch'] },
    why: 'judge policies',
    value: 'policies.enabled',
    isNeeded: followsPolicies,
  }),
  ...each(
    POLICY_KINDS.map((kind) => `${kind}/status`),
    {
      ...{ ...inCluster, group: 'security.istio.io', verbs: ['patch'] },
      why: 'say in their status whether they are accepted, and why not',
      value: 'policies.enabled',
      isNeeded: followsPolicies,
    },
  ),
  {
    ...{ who: 'server', scope: 'own', group: 'coordination.k8s.io', resource: 'leases' },
    verbs: ['create'],
    why: 'agree which of several servers writes the status of policies',
    value: 'policies.enabled',
    isNeeded: followsPolicies,
  },
  {
    ...{ ...named, group: 'coordination.k8s.io', resource: 'leases', verbs: ['get', 'update'] },
    names: ({ server }) =>
      server.policyStatus === undefined
        ? []
        : [{ namespace: server.policyStatus.leaseNamespace, name: server.policyStatus.leaseName }],
    why: 'agree which of several servers writes the status of policies',
    value: 'policies.enabled',
    isNeeded: followsPolicies,
  },
  {
    ...{ ...inCluster, group: CERTIFICATES, resource: 'clustertrustbundles', verbs: ['create'] },
    why: 'publish the trust bundle for pods to mount',
    value: 'clusterTrustBundle.enabled',
    isNeeded: (configuration) => trustBundles(configuration).length > 0,
  },
  {
    ...{ ...named, group: CERTIFICATES, resource: 'clustertrustbundles', verbs: ['get', 'patch'] },
    names: (configuration) =>
      trustBundles(configuration).map(({ name }) => ({ namespace: '', name })),
    why: 'publish it anew when it changes',
    value: 'clusterTrustBundle.enabled',
    isNeeded: (configuration) => trustBundles(configuration).length > 0,
  },
  {
    ...{ ...named, group: CERTIFICATES, resource: 'signers', verbs: ['attest'] },
    names: (configuration) =>
      signers(trustBundles(configuration).map(({ signerName }) => signerName)),
    why: 'publish it in the name of its signer',
    value: 'clusterTrustBundle.enabled',
    isNeeded: (configuration) => trustBundles(configuration).length > 0,
  },
  {
    ...{ ...inCluster, group: CERTIFICATES, resource: 'podcertificaterequests' },
    verbs: ['list', 'watch'],
    why: 'find requests for SVIDs by way of the kubelet',
    value: 'podCertificates.enabled',
    isNeeded: signsPods,
  },
  {
    ...{ ...inCluster, group: CERTIFICATES, resource: 'podcertificaterequests/status' },
    verbs: ['patch'],
    why: 'answer them',
    value: 'podCertificates.enabled',
    isNeeded: signsPods,
  },
  ...each(['pods', 'nodes'], {
    ...{ ...inCluster, group: '', verbs: ['get'] },
    why: 'see whether the pod and the node of such a request are what it says',
    value: 'podCertificates.enabled',
    isNeeded: signsPods,
  }),
  {
    ...{ ...named, group: CERTIFICATES, resource: 'signers', verbs: ['sign'] },
    names: ({ server }) => signers(server.podCertificates.map(({ signerName }) => signerName)),
    why: 'answer them in the name of their signer',
    value: 'podCertificates.enabled',
    isNeeded: signsPods,
  },
  {
    ...{ who: 'agent', group: '', resource: 'nodes/pods', coarser: 'nodes/proxy' },
    ...{ verbs: ['get'], scope: 'cluster' },
    why: 'ask the kubelet of the own node for its pods (`nodes/proxy` before Kubernetes 1.33)',
    isNeeded: (configuration) => k8sAttestor(configuration)?.podSource.kind === 'kubelet',
  },
  {
    ...{ who: 'agent', group: '', resource: 'pods', verbs: ['list', 'watch'], scope: 'cluster' },
    why: 'follow the pods of the own node',
    value: 'agent.podSource: api_server',
    isNeeded: (configuration) => k8sAttestor(configuration)?.podSource.kind === 'api-server',
  },
  {
    ...{ who: 'agent', group: '', resource: 'namespaces', verbs: ['list', 'watch'] },
    scope: 'cluster',
    why: 'know the labels of namespaces',
    value: 'agent.namespaceLabels',
    isNeeded: (configuration) => k8sAttestor(configuration)?.enableNamespaceLabels === true,
  },
  ...each(POLICY_KINDS, {
    ...{ who: 'proxy', scope: 'own', group: 'security.istio.io', verbs: ['list', 'watch'] },
    why: 'know the policies that govern their workloads, in the root namespace too',
    value: 'injection.enabled',
    // Which namespaces have proxies, labels say and no configuration.
    isNeeded: () => false,
  }),
  {
    ...{ who: 'proxy', scope: 'own', group: '', resource: 'pods', verbs: ['list', 'watch'] },
    why: 'know the labels of their own pods, by which policies select them',
    value: 'injection.enabled',
    isNeeded: () => false,
  },
]
