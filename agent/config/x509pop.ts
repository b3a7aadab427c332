/**
 * The keys of the x509pop node attestor. Its files are read when the node is attested, not before.
 *
 * @see https://github.com/spiffe/spire/blob/main/doc/plugin_agent_nodeattestor_x509pop.md
 */
import { absent } from '../../config/absent.ts'
import { optional, type Read, required, section } from '../../config/check.ts'
import { text } from '../../config/value.ts'

export interface X509PopConfig {
  readonly kind: 'x509pop'
  readonly certificatePath: string
  readonly intermediatesPath: string | undefined
  readonly privateKeyPath: string
}

export const x509pop = section({
  certificate_path: required(
    text('a path'),
    'file of the node’s certificate, followed by any intermediates',
  ),
  intermediates_path: optional(text('a path'), 'file of further intermediates'),
  private_key_path: required(text('a path'), 'file of the certificate’s private key'),
  spiffe_endpoint_socket: absent('Workload API that the node’s SVID is fetched from'),
})

export function x509PopConfig(data: Read<(typeof x509pop)['keys']>): X509PopConfig {
  return {
    kind: 'x509pop',
    certificatePath: data.certificate_path,
    intermediatesPath: data.intermediates_path,
    privateKeyPath: data.private_key_path,
  }
}
