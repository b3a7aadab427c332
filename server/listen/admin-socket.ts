/**
 * The server's admin socket: whoever may open it may administer the trust domain, so its file mode is the
 * whole of its protection.
 *
 * @see SPIRE API §1 — server UDS
 */
import type { Server } from '@grpc/grpc-js'
import type { Log } from '../../log/open-log.ts'
import { whoCouldReplace } from '../../proto/socket-file.ts'
import { listenUnix, type UnixListener } from '../../proto/unix-listener.ts'
import { reasonOf } from '../../spiffe/error.ts'

/** Owner and group, nobody else. */
const MODE = 0o770

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
    onRefused: (error) =>
      log.warn({ reason: reasonOf(error) }, 'Refused a caller of the admin socket'),
  })
  const risk = whoCouldReplace(socketPath)
  if (risk !== undefined) log.warn({ risk }, 'The admin socket is not safe where it is')
  return listener
}
