/**
 * Tells gRPC where the servers are: the directory of a connection, by gRPC's own seam for such things. gRPC tries the
 * addresses one after the other, without waiting long for one that does not answer, and stays with the first that
 * proves to be our server.
 */
import { type ChannelOptions, experimental, Metadata, status } from '@grpc/grpc-js'
import { reasonOf } from '../../spiffe/error.ts'
import { peerOf, type ServerDirectory } from './server-directory.ts'

const SCHEME = 'steeple-servers'
const DIRECTORY = 'steeple.server_directory'

type Listener = ConstructorParameters<typeof DirectoryResolver>[1]

/** A class because gRPC asks for one; it lives as long as its channel. */
class DirectoryResolver implements experimental.Resolver {
  readonly #listener: experimental.ResolverListener
  readonly #directory: ServerDirectory
  #isLooking = false
  #isOver = false

  constructor(
    _target: experimental.GrpcUri,
    listener: experimental.ResolverListener,
    options: ChannelOptions,
  ) {
    this.#listener = listener
    // Cast: options of channels may be anything; `directoryTarget` put it there.
    this.#directory = options[DIRECTORY] as ServerDirectory
  }

  static getDefaultAuthority(target: experimental.GrpcUri): string {
    return target.path
  }

  updateResolution(): void {
    this.#isOver = false
    if (this.#isLooking) return
    this.#isLooking = true
    void this.#look().finally(() => {
      this.#isLooking = false
    })
  }

  destroy(): void {
    this.#isOver = true
  }

  async #look(): Promise<void> {
    let found: Parameters<Listener>[0]
    try {
      const candidates = await this.#directory.find()
      const endpoints = candidates.map(({ host, port }) => ({ addresses: [{ host, port }] }))
      found = experimental.statusOrFromValue(endpoints)
    } catch (error) {
      const details = reasonOf(error)
      const metadata = new Metadata()
      found = experimental.statusOrFromError({ code: status.UNAVAILABLE, details, metadata })
    }
    if (!this.#isOver) this.#listener(found, {}, null, '')
  }
}

/** The target and the options of a channel to whatever the directory finds. */
export function directoryTarget(
  directory: ServerDirectory,
  authority: { readonly host: string; readonly port: number },
): { readonly target: string; readonly options: ChannelOptions } {
  experimental.registerResolver(SCHEME, DirectoryResolver) // again and again does no harm
  return { target: `${SCHEME}:${peerOf(authority)}`, options: { [DIRECTORY]: directory } }
}
