/** Mutual TLS for gRPC clients; a gRPC server is put behind `createMtlsServer`. */
import type { Socket } from 'node:net'
import { CallCredentials, ChannelCredentials, type experimental } from '@grpc/grpc-js'
import type { Authorize } from './authorize.ts'
import { connectMtls } from './connect-mtls.ts'
import type { TlsIdentity } from './tls-identity.ts'

/** A class because gRPC asks for one; equal only to itself, so that connections are shared within one alone. */
class SpiffeChannelCredentials extends ChannelCredentials {
  readonly #source: TlsIdentity
  readonly #authorize: Authorize
  readonly #requirePqKem: boolean

  constructor(source: TlsIdentity, authorize: Authorize, requirePqKem: boolean) {
    super()
    this.#source = source
    this.#authorize = authorize
    this.#requirePqKem = requirePqKem
  }

  override _isSecure(): boolean {
    return true
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other
  }

  override _createSecureConnector(
    target: { readonly path: string },
    _options: unknown,
    callCredentials: CallCredentials = CallCredentials.createEmpty(),
  ): experimental.SecureConnector {
    const host = target.path.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
    const connect = async (socket: Socket) => {
      // The socket is connected, so no port is needed.
      const to = { host, port: 0, socket, alpn: ['h2'], requirePqKem: this.#requirePqKem }
      return { socket: await connectMtls(this.#source, this.#authorize, to), secure: true }
    }
    return {
      connect,
      waitForReady: async () => {},
      getCallCredentials: () => callCredentials,
      destroy: () => {},
    }
  }
}

/**
 * For the constructor of any client; the newest SVID and bundles are used for each new connection.
 *
 * @param options `requirePqKem`: no connection without a post-quantum key exchange
 */
export function grpcCredentials(
  source: TlsIdentity,
  authorize: Authorize,
  { requirePqKem = false }: { readonly requirePqKem?: boolean } = {},
): ChannelCredentials {
  return new SpiffeChannelCredentials(source, authorize, requirePqKem)
}
