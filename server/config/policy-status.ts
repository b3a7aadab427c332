/** `policy_status { … }`: that this server writes into the status of the cluster's policies what is to be said of them. */

import { optional, type Read, required, section, withDefault } from '../../config/check.ts'
import { ifWritten } from '../../config/if-written.ts'
import { namespaceName, objectName } from '../../config/kubernetes-name.ts'
import { listOf, text, trustDomain, whole } from '../../config/value.ts'
import type { PolicyStatusConfig } from '../policy-status/open-policy-status.ts'

const MAX_TRUSTED_HOPS = 100

const keys = section({
  kube_config_file: optional(
    text('a path'),
    'kubeconfig of the cluster; that of the pod’s service account when left out',
  ),
  lease_name: withDefault(
    objectName('a name'),
    'steeple-policy-status',
    'lease by which one of several servers is the one that writes',
  ),
  lease_namespace: required(namespaceName(), 'namespace of that lease'),
  root_namespace: withDefault(
    namespaceName(),
    'istio-system',
    'namespace whose policies govern all others',
  ),
  trust_domain_aliases: withDefault(
    listOf(trustDomain(), 'trust domains'),
    '[]',
    'other names of our own trust domain in policies',
  ),
  trusted_hops: withDefault(
    whole(0, MAX_TRUSTED_HOPS, `a number from 0 to ${MAX_TRUSTED_HOPS}`),
    '0',
    'as proxies have it: proxies in front whose X-Forwarded-For is believed',
  ),
})

export const policyStatus = ifWritten(keys)

export function policyStatusConfig(
  read: Read<(typeof keys)['keys']> | undefined,
): PolicyStatusConfig | undefined {
  if (read === undefined) return undefined
  return {
    kubeconfig: read.kube_config_file,
    leaseNamespace: read.lease_namespace,
    leaseName: read.lease_name,
    rootNamespace: read.root_namespace,
    trustDomainAliases: read.trust_domain_aliases,
    trustedHops: read.trusted_hops,
  }
}
