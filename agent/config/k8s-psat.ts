/**
 * The keys of the k8s_psat node attestor. Its token is read when the node is attested, not before.
 *
 * @see https://github.com/spiffe/spire/blob/main/doc/plugin_agent_nodeattestor_k8s_psat.md
 */
import { type Read, required, section, withDefault } from '../../config/check.ts'
import { text } from '../../config/value.ts'

export interface K8sPsatConfig {
  readonly kind: 'k8s_psat'
  readonly cluster: string
  readonly tokenPath: string
}

export const k8sPsat = section({
  cluster: required(text('the name that the server has for the cluster'), 'cluster of the agent'),
  token_path: withDefault(
    text('a path'),
    '/var/run/secrets/tokens/spire-agent',
    'file of the projected service account token',
  ),
})

export function k8sPsatConfig(data: Read<(typeof k8sPsat)['keys']>): K8sPsatConfig {
  return { kind: 'k8s_psat', cluster: data.cluster, tokenPath: data.token_path }
}
