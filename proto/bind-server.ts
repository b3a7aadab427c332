/** A server of Node at its address, and its end: both as a whole, and not being able to have the address is a mistake of the configuration. */
import { once } from 'node:events'
import type { ListenOptions, Server } from 'node:net'
import { IdentityError, reasonOf } from '../spiffe/error.ts'
import { bindWithMode } from './socket-file.ts'

export interface Place {
  /** For messages, e.g. `127.0.0.1 port 80`. */
  readonly shown: string
  /** The key to change when the place cannot be had, e.g. `health_checks.bind_port`. */
  readonly key: string
}

/**
 * @param where `mode` is that of the file of a Unix socket
 * @returns the port: another than the wanted one only when that was 0; 0 for the path of a Unix socket
 * @throws IdentityError CONFIG_INVALID when the place cannot be had
 */
export async function bindServer(
  server: Server,
  where: ListenOptions | { readonly path: string; readonly mode: number },
  { shown, key }: Place,
): Promise<number> {
  try {
    if ('mode' in where) bindWithMode(where.mode, () => server.listen({ path: where.path }))
    else server.listen(where)
    await once(server, 'listening')
  } catch (error) {
    const why = `cannot listen on ${shown}: ${reasonOf(error)}; choose another ${key}`
    throw new IdentityError('CONFIG_INVALID', why, { cause: error })
  }
  const bound = server.address()
  return typeof bound === 'object' && bound !== null ? bound.port : 0
}

/** Takes no more connections, ends those that are open, and waits for it. Once more does nothing. */
export async function endServer(server: Server, cutAllOff: () => void): Promise<void> {
  if (!server.listening) return
  const closed = once(server, 'close')
  server.close()
  cutAllOff()
  await closed
}
