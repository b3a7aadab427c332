/**
 * A second address of a server: takes connections and passes bytes on, until it is told to cut them off, as a machine
 * that dies, or to let nothing through, as a network that is partitioned or a process that is stopped.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Relay extends AsyncDisposable {
  readonly port: number
  /** Connections that are open now. */
  connections(): number
  /** Ends every connection and refuses new ones. */
  cut(): Promise<void>
  /** Takes connections and bytes, and passes nothing on. */
  freeze(): void
  /** As at first, with the same port; what was frozen goes on. */
  mend(): Promise<void>
  /** New connections lead to this port from now on. */
  lead(target: number): void
}

export async function openRelay(first: number): Promise<Relay> {
  let target = first
  const pairs = new Set<readonly [Socket, Socket]>()
  let isFrozen = false
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1')
    const pair = [near, far] as const
    pairs.add(pair)
    for (const [from, to] of [pair, [far, near] as const]) {
      from.on('error', () => {})
      from.on('close', () => {
        to.destroy()
        pairs.delete(pair)
      })
      from.pipe(to)
    }
    if (isFrozen) pause(pair)
  })
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  const cut = async () => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    for (const [near, far] of pairs) {
      near.destroy()
      far.destroy()
    }
    await closed
  }
  await listen(0)
  const { port } = server.address() as AddressInfo // cast: it listens on TCP
  return {
    port,
    connections: () => pairs.size,
    cut,
    freeze() {
      isFrozen = true
      for (const pair of pairs) pause(pair)
    },
    async mend() {
      isFrozen = false
      for (const [near, far] of pairs) {
        near.pipe(far)
        far.pipe(near)
      }
      if (!server.listening) await listen(port)
    },
    lead(next) {
      target = next
    },
    [Symbol.asyncDispose]: cut,
  }
}

function pause([near, far]: readonly [Socket, Socket]): void {
  near.unpipe(far).pause()
  far.unpipe(near).pause()
}
