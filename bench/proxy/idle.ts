/** Memory of connections that have asked once and are kept. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { systemClock } from '../../spiffe/clock.ts'
import { privateKib } from './cost.ts'
import type { Pair } from './pair.ts'

/** At once, so that no queue of connections overflows. */
const BATCH = 50
/** For collectors of garbage and for allocators that give back late. */
const SETTLE_MS = 8_000

/** @returns KiB of each proxy for a connection through both */
export async function idleKib(pair: Pair, count: number): Promise<number> {
  const sockets: Socket[] = []
  try {
    await open(pair.port, BATCH, sockets)
    await systemClock.sleep(SETTLE_MS)
    const before = privateKib(pair.pids)
    for (let made = 0; made < count; made += BATCH) await open(pair.port, BATCH, sockets)
    await systemClock.sleep(SETTLE_MS)
    return (privateKib(pair.pids) - before) / pair.pids.length / count
  } finally {
    for (const socket of sockets) socket.destroy()
  }
}

async function open(port: number, count: number, sockets: Socket[]): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect({ host: '127.0.0.1', port })
      sockets.push(socket)
      socket.on('error', () => {})
      socket.write('GET /svc-99/item HTTP/1.1\r\nHost: db.shop\r\n\r\n')
      await once(socket, 'data')
    }),
  )
}
