/**
 * The server's admin socket: whoever may open it may administer the trust domain, so its file mode is the
 * whole of its protection.
 *
 * @see SPIRE API §1 — server UDS
 */
import type { Server } from '@grpc/grpc-js'
import type { Log } from '../../log/open-log.ts'
import type { StreamBounds } from '../../proto/bound-streams.ts'
import { whoCouldReplace } from '../../proto/socket-file.ts'
import { listenUnix, type UnixListener } from '../../proto/unix-listener.ts'
import { reasonOf } from '../../spiffe/error.ts'

/** Owner and group, nobody else. */
const MODE = 0o770
const MIB = 1024 * 1024
/** Requests and answers are lists of everything; only administrators make them. */
const BOUNDS: StreamBounds = {
  streams: { perProcess: 8_192, total: 16_384 },
  requestBytes: { perProcess: 256 * MIB, total: 512 * MIB },
  unsentBytes: { perProcess: 256 * MIB, total: 512 * MIB },
}

export async function listenAdmin(options: {
  readonly socketPath: string
  readonly server: Server
  readonly log: Log
}): Promise<UnixListener> {
  const { socketPath, server, log } = options
  const listener = await listenUnix({
    path: socketPath,
    mode: MODE,
    server,
    bounds: BOUNDS,
    onRefused: (error) =>
      log.warn({ reason: reasonOf(error) }, 'Refused a caller of the admin socket'),
  })
  const risk = whoCouldReplace(socketPath)
  if (risk !== undefined) log.warn({ risk }, 'The admin socket is not safe where it is')
  return listener
}
