/**
 * The `controller_manager` block: registration from Kubernetes. Keys are those of spire-controller-manager's
 * configuration in the spelling of server.conf; only a block that is written turns it on.
 *
 * @see https://github.com/spiffe/spire-controller-manager/blob/main/docs/spire-controller-manager-config.md
 */
import { absent } from '../../config/absent.ts'
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
import { ifWritten } from '../../config/if-written.ts'
import { namespaceName, objectName } from '../../config/kubernetes-name.ts'
import { addMistake, addRefusal } from '../../config/mistake.ts'
import { host, listOf, milliseconds, port, text, textLike, truth } from '../../config/value.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { ControllerConfig } from '../controller/controller-config.ts'
import { parseParentIdTemplate } from '../controller/render-entry.ts'
import { checkEntryId } from '../entries/check-entry.ts'

const OWN_PREFIX = 'the controller never removes entries that it did not make'
const BUILT_IN = 'the controller is part of this server'
const FROM_CLUSTER = 'objects come from the API server; entries in files are read by entry apply'
const ALL_KINDS = 'a kind of which there are no objects costs nothing'

const leaderElection = section({
  leader_elect: withDefault(truth(), 'true', 'let one of several servers register at a time'),
  resource_name: withDefault(
    objectName('the name of a Lease'),
    'steeple-controller-manager',
    'name of the Lease',
  ),
  resource_namespace: optional(
    namespaceName(),
    'namespace of the Lease; that of the server’s pod when left out',
  ),
  lease_duration: withDefault(milliseconds(), '15s', 'how long others wait for a silent leader'),
  renew_deadline: withDefault(
    milliseconds(),
    '10s',
    'how long the leader goes on when it cannot renew',
  ),
  retry_period: withDefault(milliseconds(), '2s', 'time between two attempts'),
})

const webhook = section({
  host: withDefault(host(), '0.0.0.0', 'address of the webhook server'),
  port: withDefault(port(), '9443', 'port of the webhook server'),
})

const controllerKeys = section({
  cluster_name: required(
    textLike(/^[A-Za-z0-9._-]{1,100}$/, 'letters, digits, dots, dashes and underscores'),
    'name of the cluster, as in k8s_psat',
  ),
  cluster_domain: withDefault(text(), 'cluster.local', 'domain that names of Services end in'),
  kube_config_file: optional(
    text('a path'),
    'kubeconfig of the cluster; the one that the server runs in when left out',
  ),
  class_name: optional(text(), 'only resources of this class; those without one when left out'),
  watch_classless: withDefault(truth(), 'false', 'also resources without a class'),
  ignore_namespaces: optional(
    listOf(text('a regular expression'), 'regular expressions'),
    'namespaces whose pods get no entries; kube-system, kube-public and spire-system when left out',
  ),
  parent_id_template: optional(
    text('a template'),
    'parent ID of the entries of a node; the agent attested by k8s_psat when left out',
  ),
  entry_id_prefix: optional(
    text(),
    'beginning of the IDs of the controller’s entries, ended by a dot; cluster_name when left out',
  ),
  entry_id_prefix_cleanup: absent('prefix of entries to remove', undefined, OWN_PREFIX),
  gc_interval: withDefault(
    milliseconds(),
    '10s',
    'how soon what could not be written is tried again',
  ),
  leader_election: nest(leaderElection, 'one leader among several servers'),
  validating_webhook_configuration_name: withDefault(
    text(),
    'spire-controller-manager-webhook',
    'ValidatingWebhookConfiguration whose caBundle is kept current',
  ),
  mutating_webhook_configuration_name: optional(
    text(),
    'MutatingWebhookConfiguration whose caBundle is kept current',
  ),
  webhook: optional(
    ifWritten(webhook),
    'check resources before they are stored; off when left out',
  ),
  reconcile: absent('kinds to follow', undefined, ALL_KINDS),
  spire_server_socket_path: absent('socket of the server', undefined, BUILT_IN),
  static_manifest_path: absent('folder of manifests', undefined, FROM_CLUSTER),
  trust_domain: absent('trust domain', undefined, `that of the server: ${BUILT_IN}`),
})

export const controller = refine(ifWritten(controllerKeys), (read, { report }) => {
  for (const pattern of read.ignore_namespaces ?? []) {
    try {
      new RegExp(pattern)
    } catch (error) {
      const message = `controller_manager.ignore_namespaces has ${JSON.stringify(pattern)}: ${reasonOf(error)}`
      addMistake(report, placeOf(read, 'ignore_namespaces'), message, 'a regular expression')
    }
  }
  refuseWith(read, 'parent_id_template', () => parseParentIdTemplate(read.parent_id_template ?? ''))
  refuseWith(read, 'entry_id_prefix', () => checkEntryId(read.entry_id_prefix ?? ''))
  const times = read.leader_election
  if (times !== undefined) {
    const { lease_duration, renew_deadline, retry_period } = times
    if (!(lease_duration > renew_deadline && renew_deadline > retry_period)) {
      const message = 'controller_manager.leader_election: its times overlap'
      const expected = 'lease_duration above renew_deadline above retry_period'
      addMistake(report, placeOf(read, 'leader_election'), message, expected)
    }
  }
  return {}

  function refuseWith(from: typeof read, key: string, check: () => unknown): void {
    try {
      check()
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error
      addRefusal(report, placeOf(from, key), `controller_manager.${key}`, error)
    }
  }
})

const IGNORED_NAMESPACES = ['kube-system', 'kube-public', 'spire-system']

export function controllerConfig(
  read: Read<(typeof controllerKeys)['keys']> | undefined,
): ControllerConfig | undefined {
  if (read === undefined) return undefined
  const { leader_election: election } = read
  const prefix = read.entry_id_prefix ?? read.cluster_name
  return {
    clusterName: read.cluster_name,
    clusterDomain: read.cluster_domain,
    kubeconfig: read.kube_config_file,
    className: read.class_name ?? '',
    watchesClassless: read.watch_classless,
    ignoredNamespaces: read.ignore_namespaces ?? IGNORED_NAMESPACES,
    parentIdTemplate: read.parent_id_template ?? '',
    entryIdPrefix: prefix.endsWith('.') ? prefix : `${prefix}.`,
    gcIntervalMs: read.gc_interval,
    leaderElection: !election.leader_elect
      ? undefined
      : {
          leaseName: election.resource_name,
          namespace: election.resource_namespace,
          durationMs: election.lease_duration,
          renewDeadlineMs: election.renew_deadline,
          retryMs: election.retry_period,
        },
    webhook:
      read.webhook === undefined
        ? undefined
        : {
            ...{ host: read.webhook.host, port: read.webhook.port },
            validatingName: read.validating_webhook_configuration_name,
            mutatingName: read.mutating_webhook_configuration_name,
          },
  }
}
