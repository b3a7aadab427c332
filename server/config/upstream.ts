/**
 * The upstream authorities that are offered.
 *
 * @see https://github.com/spiffe/spire/blob/main/doc/plugin_server_upstreamauthority_disk.md
 * @see https://github.com/spiffe/spire/blob/main/doc/plugin_server_upstreamauthority_spire.md
 */
import { absent } from '../../config/absent.ts'
import { nest, optional, type Read, required, section, withDefault } from '../../config/check.ts'
import { host, port, socketPath, text, truth } from '../../config/value.ts'
import type { UpstreamConfig } from '../upstream/open-upstream.ts'

export const diskUpstream = section({
  cert_file_path: required(text('a path'), 'PEM file of the CA that signs ours, and its chain'),
  key_file_path: required(text('a path'), 'PEM file of its key'),
  bundle_file_path: optional(text('a path'), 'PEM file of the roots, when that CA is none itself'),
})

const experimental = section({
  require_pq_kem: withDefault(
    truth(),
    'false',
    'refuse TLS to the upstream server without a post-quantum key exchange',
  ),
  workload_api_named_pipe_name: absent(
    'pipe of the Workload API',
    undefined,
    'for Windows only; use workload_api_socket',
  ),
})

export const spireUpstream = section({
  server_address: required(host(), 'address of the upstream server'),
  server_port: required(port(), 'port of the upstream server'),
  workload_api_socket: required(socketPath(), 'Workload API socket of the upstream server’s agent'),
  experimental: nest(experimental, 'keys that may change'),
})

type Chosen =
  | { readonly name: 'disk'; readonly data: Read<(typeof diskUpstream)['keys']> }
  | { readonly name: 'spire'; readonly data: Read<(typeof spireUpstream)['keys']> }

/** @param chosen undefined when no upstream authority is configured */
export function upstreamConfig(chosen: Chosen | undefined): UpstreamConfig | undefined {
  switch (chosen?.name) {
    case undefined:
      return undefined
    case 'disk': {
      const { cert_file_path: certPath, key_file_path: keyPath } = chosen.data
      return { kind: 'disk', certPath, keyPath, bundlePath: chosen.data.bundle_file_path }
    }
    case 'spire': {
      const {
        server_address: host,
        server_port: port,
        workload_api_socket,
        experimental,
      } = chosen.data
      const { require_pq_kem: requirePqKem } = experimental
      return { kind: 'spire', host, port, workloadApiSocket: workload_api_socket, requirePqKem }
    }
  }
}
