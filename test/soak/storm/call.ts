/** A workload's ways to another one: a call that ends with the answer, and a connection that stays open. */
import { once } from 'node:events'
import type { TLSSocket } from 'node:tls'
import { systemClock } from '../../../spiffe/clock.ts'
import { authorizeId } from '../../../workload/tls/authorize.ts'
import { connectMtls } from '../../../workload/tls/connect-mtls.ts'
import type { Place } from './messages.ts'
import type { StormWorkload } from './workload.ts'

/** A call that takes longer has failed. */
const MOST_CALL_MS = 30_000

/** Both ends verified each other, and the other end said whom. @throws Error when it did not come to that */
export async function call(from: StormWorkload, to: Place): Promise<void> {
  const socket = await open(from, to)
  socket.destroy()
}

/**
 * Sends a byte every `everyMs` and waits for its return, until `signal` aborts.
 * @throws Error when the connection did not open, or ended
 */
export async function stay(
  from: StormWorkload,
  to: Place,
  { everyMs, onEcho }: { readonly everyMs: number; readonly onEcho: () => void },
  signal: AbortSignal,
): Promise<void> {
  const socket = await open(from, to)
  try {
    while (!signal.aborted) {
      const returned = nextOf(socket)
      socket.write('.')
      await returned
      onEcho()
      await systemClock.sleep(everyMs, signal)
    }
  } finally {
    socket.destroy()
  }
}

async function open(from: StormWorkload, { id, port }: Place): Promise<TLSSocket> {
  const target = { host: '127.0.0.1', port }
  const socket = await connectMtls(from.identity, authorizeId(id), target)
  const said = (await nextOf(socket)).toString('utf8').trim()
  if (said === from.id) return socket
  socket.destroy()
  throw new Error(`${id} took us for ${said}`)
}

/** What comes next; a connection that ends instead is an error. */
async function nextOf(socket: TLSSocket): Promise<Buffer> {
  const over = new AbortController()
  const ended = once(socket, 'close', { signal: over.signal }).then(() => {
    throw new Error('the other end closed the connection')
  })
  const slow = systemClock.sleep(MOST_CALL_MS, over.signal).then(() => {
    throw new Error(`nothing came within ${MOST_CALL_MS / 1000} s`)
  })
  const data = once(socket, 'data', { signal: over.signal })
  try {
    const [bytes]: Buffer[] = await Promise.race([data, ended, slow])
    return bytes ?? Buffer.alloc(0)
  } finally {
    over.abort()
    await Promise.allSettled([data, ended, slow])
  }
}
