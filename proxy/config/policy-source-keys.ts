/**
 * Keys of the Kubernetes API as the source of policies, and what is made of them. Fails closed: two sources at once are refused,
 * for nobody could say which of them a missing restriction is missing from.
 */

import { optional, section } from '../../config/check.ts'
import { objectName } from '../../config/kubernetes-name.ts'
import { text } from '../../config/value.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { ProxyConfig } from '../config.ts'

export interface PolicySourceConfig {
  /** Undefined: the service account of the pod that the proxy runs in. */
  readonly kubeConfigFile: string | undefined
  /** Undefined: labels are those of the configuration. */
  readonly podName: string | undefined
  /** Undefined: nothing is kept over a restart. */
  readonly stateFile: string | undefined
}

/** The only one beside a directory, which needs no block. */
const KUBERNETES = 'kubernetes'

export const policySource = section({
  kube_config_file: optional(
    text('a path'),
    'kubeconfig of the cluster; the service account of the own pod when left out',
  ),
  pod_name: optional(
    objectName('the name of a pod'),
    'own pod, whose labels policies select by, as they change; those of workload.labels when left out',
  ),
  state_file: optional(
    text('a path'),
    'file that keeps the last good policies, for a start while the API server is away',
  ),
})

interface Read {
  readonly name: string
  readonly kube_config_file: string | undefined
  readonly pod_name: string | undefined
  readonly state_file: string | undefined
}

/** @throws IdentityError CONFIG_INVALID */
export function policySourceConfig(
  read: readonly Read[] | undefined,
): PolicySourceConfig | undefined {
  const [one, another] = read ?? []
  if (one === undefined) return undefined
  const wrong = another ?? (one.name === KUBERNETES ? undefined : one)
  if (wrong !== undefined) {
    throw invalid(
      `proxy.policy_source.${wrong.name} is unknown (expected one block, policy_source "${KUBERNETES}")`,
    )
  }
  return {
    kubeConfigFile: one.kube_config_file,
    podName: one.pod_name,
    stateFile: one.state_file,
  }
}

/** @throws IdentityError CONFIG_INVALID for keys that cannot both hold */
export function checkPolicySource(path: string, config: ProxyConfig): void {
  const { policyDir, policySource: source, inbound, outbound, workload } = config
  if (source === undefined) return
  const block = `proxy.policy_source.${KUBERNETES}`
  if (policyDir !== undefined) {
    throw invalid(
      `${path}: ${block} and proxy.policy_dir exclude each other (expected one of them)`,
    )
  }
  if (source.podName === undefined) return
  if ([...inbound, ...outbound].some(({ ownWorkload }) => ownWorkload !== undefined)) {
    const why =
      'listeners with selectors are for other workloads, whose labels stand in their blocks'
    throw invalid(`${path}: ${block}.pod_name is of no use here (${why}; leave it out)`)
  }
  if (Object.keys(workload.labels).length > 0) {
    const why = 'expected labels from one place only'
    throw invalid(
      `${path}: ${block}.pod_name and proxy.workload.labels exclude each other (${why})`,
    )
  }
}

function invalid(message: string): IdentityError {
  return new IdentityError('CONFIG_INVALID', message)
}
