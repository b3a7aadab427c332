/**
 * Cuts connections of strangers that open streams faster than anybody waits for answers. How many may be open at once bounds nothing
 * there: a stream that is reset at once is not open any more, and has cost as much.
 */
import { channel } from 'node:diagnostics_channel'
import type { ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { countPerTurn } from '../../proto/count-per-turn.ts'

/** On one connection, in one turn of the event loop; strangers may have sixteen open on the server's port, proxies of a mesh a hundred. */
const OPENED_PER_TURN = 128

export interface CutFloods extends Disposable {
  /** From now on streams of this connection count. @param key its `remoteAddress` @param onCut told before it is destroyed */
  follow(socket: Socket, key: string, onCut: () => void): void
}

/** Disposing lets all that are open go on uncounted. */
export function cutFloods(): CutFloods {
  const followed = new Map<string, { readonly id: number; cut(): void }>()
  const isTooManyNow = countPerTurn(OPENED_PER_TURN)
  let lastId = 0
  const seen = (message: unknown) => {
    // Cast: Node publishes nothing else here.
    const { stream } = message as { readonly stream: ServerHttp2Stream }
    const one = followed.get(stream.session?.socket.remoteAddress ?? '')
    // Later: grpc-js is about to answer on this stream, and throws when it has gone.
    if (one !== undefined && isTooManyNow(one.id)) queueMicrotask(one.cut)
  }
  const created = channel('http2.server.stream.created')
  created.subscribe(seen)
  return {
    follow(socket, key, onCut) {
      lastId += 1
      const cut = () => {
        if (socket.destroyed) return
        onCut()
        socket.destroy()
      }
      followed.set(key, { id: lastId, cut })
      socket.once('close', () => followed.delete(key))
    },
    [Symbol.dispose]: () => created.unsubscribe(seen),
  }
}
