/**
 * The keys of the `k8s` workload attestor: SPIRE's, and two of our own for pods by a watch at the API server.
 *
 * @see https://github.com/spiffe/spire/blob/main/doc/plugin_agent_workloadattestor_k8s.md
 */
import { absent, idle } from '../../config/absent.ts'
import {
  type Context,
  nest,
  optional,
  placeOf,
  type Read,
  refine,
  section,
  type Unsure,
  withDefault,
} from '../../config/check.ts'
import { parseDurationMs } from '../../config/duration.ts'
import { addMistake, addWarning } from '../../config/mistake.ts'
import { choice, count, milliseconds, port, text, truth } from '../../config/value.ts'
import { SERVICE_ACCOUNT_DIRECTORY } from '../../kubernetes/service-account.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { K8sBrokerSettings } from '../attest/k8s/for-brokers.ts'
import type { K8sAttestorOptions } from '../attest/k8s/k8s-attestor.ts'
import type { KubeletConfig, KubeletCredentials } from '../attest/k8s/kubelet.ts'
import { k8sBroker, k8sBrokerSettings } from './k8s-broker.ts'
import { NO_SIGSTORE } from './sigstore.ts'

export type PodSourceConfig =
  | { readonly kind: 'kubelet'; readonly kubelet: KubeletConfig }
  | { readonly kind: 'api-server'; readonly nodeName: string }
  /** No pod is known by the agent itself, and no process attested: brokers are told of pods of the cluster. */
  | { readonly kind: 'none' }

export interface K8sAttestorConfig extends Omit<K8sAttestorOptions, 'refusesProcesses'> {
  readonly kind: 'k8s'
  readonly podSource: PodSourceConfig
  /** Of the API server; undefined: the service account of the pod that the agent runs in. */
  readonly kubeconfig: string | undefined
  readonly enableNamespaceLabels: boolean
  /** Undefined: brokers are told nothing. */
  readonly broker: K8sBrokerSettings | undefined
  readonly maxPollAttempts: number
  readonly pollRetryIntervalMs: number
  readonly isVerbose: boolean
}

const DEFAULT_SECURE_PORT = 10_250
const DEFAULT_NODE_NAME_ENV = 'MY_NODE_NAME'
const DEFAULT_CA_PATH = `${SERVICE_ACCOUNT_DIRECTORY}/ca.crt`
const DEFAULT_TOKEN_PATH = `${SERVICE_ACCOUNT_DIRECTORY}/token`
const DEFAULT_RELOAD = '1m'

const cache = section({
  enabled: idle(truth(), 'false', 'namespaces are always followed by a watch', 'cache of objects'),
})

const experimental = section({
  api_server: nest(section({ cache: nest(cache, 'cache of objects') }), 'the API server'),
  broker: k8sBroker(),
})

const keys = section({
  certificate_path: optional(text('a path'), 'file of the certificate to show to the kubelet'),
  disable_container_selectors: withDefault(
    truth(),
    'false',
    'selectors of the pod alone, for which its container need not be ready',
  ),
  disable_kubelet_client: withDefault(
    truth(),
    'false',
    'ask no kubelet and attest no process, for an agent of brokers that name pods of the cluster',
  ),
  enable_namespace_labels: withDefault(
    truth(),
    'false',
    'selectors for the labels of the pod’s namespace, from the API server',
  ),
  experimental: nest(experimental, 'keys that may change'),
  kubeconfig: optional(
    text('a path'),
    'kubeconfig of the API server, for pod_source and namespace labels; else the pod’s service account',
  ),
  kubelet_ca_path: withDefault(
    text('a path'),
    DEFAULT_CA_PATH,
    'file of the CA certificates that the kubelet’s comes from',
  ),
  kubelet_read_only_port: optional(
    port(),
    'port of the kubelet without TLS, instead of the secure one',
  ),
  kubelet_secure_port: optional(
    port(),
    `port of the kubelet, ${DEFAULT_SECURE_PORT} if neither is given`,
  ),
  max_poll_attempts: withDefault(
    count(),
    '60',
    'how often a container that is not known yet is looked for',
  ),
  node_name: optional(text('a name'), 'node whose kubelet is asked; else as in node_name_env'),
  node_name_env: withDefault(
    text('a name'),
    DEFAULT_NODE_NAME_ENV,
    'environment variable with the name of the node; without it the kubelet is asked at 127.0.0.1',
  ),
  pod_source: withDefault(
    choice(['kubelet', 'api_server']),
    'kubelet',
    'who tells of pods; api_server: a watch on those of this node, at no cost for each caller',
  ),
  poll_retry_interval: withDefault(
    milliseconds(),
    '500ms',
    'time between looks, and how long a list of pods is used',
  ),
  private_key_path: optional(text('a path'), 'file of the private key of certificate_path'),
  reload_interval: withDefault(
    milliseconds(),
    DEFAULT_RELOAD,
    'how often token, certificates and key for the kubelet are read from disk',
  ),
  sigstore: absent('verify signatures of images', undefined, NO_SIGSTORE),
  skip_kubelet_verification: withDefault(
    truth(),
    'false',
    'believe any certificate of the kubelet',
  ),
  token_path: withDefault(
    text('a path'),
    DEFAULT_TOKEN_PATH,
    'file of the token to show to the kubelet',
  ),
  use_anonymous_authentication: withDefault(truth(), 'false', 'show neither token nor certificate'),
  use_new_container_locator: withDefault(
    truth(),
    'true',
    'find containers in any layout of control groups; false: by SPIRE’s older rules',
  ),
  verbose_container_locator_logs: withDefault(
    truth(),
    'false',
    'log, at debug level, the control groups that are looked at',
  ),
})

export const k8s = refine(keys, (read, context) => {
  checkPorts(read, context)
  checkPair(read, context)
  checkDisabled(read, context)
  warnOfIdle(read, context)
  return {}
})

type Written = Unsure<Read<(typeof keys)['keys']>>

function checkPorts(read: Written, { report }: Context): void {
  if (read.kubelet_read_only_port === undefined || read.kubelet_secure_port === undefined) return
  const message = 'kubelet_read_only_port and kubelet_secure_port are both given'
  addMistake(report, placeOf(read, 'kubelet_read_only_port'), message, 'one of them')
}

function checkPair(read: Written, { report }: Context): void {
  const { certificate_path: certificate, private_key_path: key } = read
  if ((certificate === undefined) === (key === undefined)) return
  const [given, lacking] =
    certificate === undefined
      ? (['private_key_path', 'certificate_path'] as const)
      : (['certificate_path', 'private_key_path'] as const)
  addMistake(report, placeOf(read, given), `${given} is given without ${lacking}`, 'both of them')
}

/** Whose written value says that a kubelet is to be asked, or a node looked at. */
const OF_KUBELET = [
  'kubelet_read_only_port',
  'kubelet_secure_port',
  'certificate_path',
  'private_key_path',
  'node_name',
] as const
const TRUE_OF_KUBELET = ['skip_kubelet_verification', 'use_anonymous_authentication'] as const
/** Whose default changes nothing when it is written. */
const DEFAULTS_OF_KUBELET = [
  ['kubelet_ca_path', DEFAULT_CA_PATH],
  ['node_name_env', DEFAULT_NODE_NAME_ENV],
  ['reload_interval', parseDurationMs(DEFAULT_RELOAD)],
  ['token_path', DEFAULT_TOKEN_PATH],
] as const

/** As SPIRE refuses them; and brokers that could ask for nothing. */
function checkDisabled(read: Written, { report }: Context): void {
  if (read.disable_kubelet_client !== true) return
  const used = [
    ...OF_KUBELET.filter((key) => read[key] !== undefined),
    ...TRUE_OF_KUBELET.filter((key) => read[key] === true),
    ...DEFAULTS_OF_KUBELET.flatMap(([key, fallback]) => {
      const value = read[key]
      return value === undefined || value === fallback ? [] : [key]
    }),
    ...(read.pod_source === 'api_server' ? (['pod_source'] as const) : []),
  ]
  for (const key of used) {
    const message = `disable_kubelet_client cannot be used with ${key}`
    addMistake(report, placeOf(read, key), message, 'one of them')
  }
  for (const { id, pod_reference_scope: scope } of read.experimental?.broker?.brokers ?? []) {
    if (scope === 'cluster') continue
    const message = `experimental.broker.brokers[${id}].pod_reference_scope is ${scope}, and disable_kubelet_client is true`
    addMistake(report, placeOf(read, 'disable_kubelet_client'), message, 'cluster')
  }
}

/** What SPIRE takes and never uses is said here. */
function warnOfIdle(read: Written, { report }: Context): void {
  const warn = (key: string, why: string) =>
    addWarning(report, placeOf(read, key), `WorkloadAttestor.k8s.${key} has no effect: ${why}`)
  if (read.use_anonymous_authentication === true && read.certificate_path !== undefined) {
    warn('certificate_path', 'use_anonymous_authentication is true')
  }
  if (read.pod_source !== 'api_server' && read.enable_namespace_labels !== true) {
    const hasBrokers = read.experimental?.broker !== undefined
    if (read.kubeconfig !== undefined && !hasBrokers) {
      warn('kubeconfig', 'nothing is asked of the API server')
    }
  }
  if (read.pod_source === 'api_server' && read.kubelet_read_only_port !== undefined) {
    warn('kubelet_read_only_port', 'pod_source is api_server')
  }
}

type Data = Read<(typeof keys)['keys']>

/** @throws IdentityError CONFIG_INVALID when the API server is to be asked for the pods of a node without a name */
export function k8sAttestorConfig(
  data: Data,
  env: Readonly<Record<string, string | undefined>>,
): K8sAttestorConfig {
  return {
    kind: 'k8s',
    podSource: podSourceOf(data, env),
    kubeconfig: data.kubeconfig,
    enableNamespaceLabels: data.enable_namespace_labels,
    broker: k8sBrokerSettings(data.experimental.broker),
    maxPollAttempts: data.max_poll_attempts,
    pollRetryIntervalMs: data.poll_retry_interval,
    disableContainerSelectors: data.disable_container_selectors,
    usesLegacyLocator: !data.use_new_container_locator,
    isVerbose: data.verbose_container_locator_logs,
  }
}

function podSourceOf(
  data: Data,
  env: Readonly<Record<string, string | undefined>>,
): PodSourceConfig {
  if (data.disable_kubelet_client) return { kind: 'none' }
  const nodeName = data.node_name ?? (env[data.node_name_env] || undefined)
  return data.pod_source === 'kubelet'
    ? { kind: 'kubelet', kubelet: kubeletConfig(data, nodeName) }
    : { kind: 'api-server', nodeName: nodeName ?? refuseNameless(data) }
}

function refuseNameless({ node_name_env: name }: Data): never {
  throw new IdentityError(
    'CONFIG_INVALID',
    `WorkloadAttestor.k8s: pod_source is api_server, and the node has no name: set node_name, or the environment variable ${name}`,
  )
}

function kubeletConfig(data: Data, nodeName: string | undefined): KubeletConfig {
  if (data.kubelet_read_only_port !== undefined) {
    return { kind: 'read-only', port: data.kubelet_read_only_port }
  }
  return {
    kind: 'secure',
    port: data.kubelet_secure_port ?? DEFAULT_SECURE_PORT,
    nodeName,
    caPath: data.skip_kubelet_verification ? undefined : data.kubelet_ca_path,
    credentials: credentialsOf(data),
    reloadIntervalMs: data.reload_interval,
  }
}

function credentialsOf(data: Data): KubeletCredentials {
  const { certificate_path: certificatePath, private_key_path: keyPath } = data
  if (data.use_anonymous_authentication) return { kind: 'anonymous' }
  return certificatePath !== undefined && keyPath !== undefined
    ? { kind: 'certificate', certificatePath, keyPath }
    : { kind: 'token', path: data.token_path }
}
