/** `pod_certificates "<cluster>" { … }`: for which clusters this server signs PodCertificateRequests, and by what rule. */
import { optional, type Read, required, section, withDefault } from '../../config/check.ts'
import { named } from '../../config/named.ts'
import { seconds, text, value } from '../../config/value.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import { parseIdentityTemplate } from '../pod-certificates/identity-template.ts'
import type { PodCertificatesConfig } from '../pod-certificates/open-pod-certificates.ts'
import { isSignerName } from '../publish/k8s-cluster-trust-bundle.ts'

const signerName = () =>
  value<string>((node) => {
    const written = node.kind === 'string' ? node.value : ''
    if (isSignerName(written) && !isOfKubernetes(written)) return { kind: 'value', value: written }
    return { kind: 'wrong', message: `is ${JSON.stringify(written)}` }
  }, 'a domain of your own, a slash and a name')

/** Those are reserved: the API server signs for them, or nobody does. */
function isOfKubernetes(name: string): boolean {
  return /^(?:[^/]*\.)?kubernetes\.io\//.test(name)
}

const cluster = section({
  signer_name: required(signerName(), 'signer that pods name in their podCertificate volumes'),
  kube_config_file: optional(
    text('a path'),
    'kubeconfig of the cluster; that of the pod’s service account when left out',
  ),
  spiffe_id_template: optional(
    text('a SPIFFE ID such as spiffe://{{ .TrustDomain }}/ns/{{ .PodMeta.Namespace }}'),
    'ID of every pod that asks, with fields of it; registration entries decide when left out',
  ),
  entry_wait: withDefault(
    seconds(),
    '30s',
    'how long an entry is waited for before a request is denied, which is for ever',
  ),
})

export const podCertificates = named(cluster)

/** @throws IdentityError CONFIG_INVALID for a template that makes no ID of this trust domain */
export function podCertificatesConfig(
  read: readonly (Read<(typeof cluster)['keys']> & { readonly name: string })[],
  trustDomain: TrustDomain,
): readonly PodCertificatesConfig[] {
  return read.map((one) => {
    const { name, spiffe_id_template: template } = one
    return {
      clusterName: name,
      signerName: one.signer_name,
      kubeconfig: one.kube_config_file,
      template: template === undefined ? undefined : parseTemplate(name, template, trustDomain),
      entryWaitSeconds: one.entry_wait,
    }
  })
}

function parseTemplate(cluster: string, template: string, trustDomain: TrustDomain) {
  try {
    return parseIdentityTemplate(template, trustDomain)
  } catch (cause) {
    if (!(cause instanceof IdentityError)) throw cause
    const message = `pod_certificates.${cluster}.spiffe_id_template is ${cause.message}`
    throw new IdentityError('CONFIG_INVALID', message, { cause })
  }
}
