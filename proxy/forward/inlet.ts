/**
 * Reading from connections of our own without new memory for each read: all of them read into one buffer, for bytes are passed
 * on before the next read. Buffers for each read would be what the garbage collector works for most of its time.
 * Bound: one buffer for all connections.
 */
import type { OnReadOpts, Socket } from 'node:net'

/** Bytes of one read; as many as Node reads by itself. */
const READ_BYTES = 64 * 1024

/** Takes what was read; the bytes are valid until it returns. @returns false when no more is wanted until `resume` */
export type Take = (bytes: Buffer) => boolean

export interface Inlet {
  /** For the connection's maker. */
  readonly onread: OnReadOpts
  /** Says whose inlet it is. */
  bind(socket: Socket): void
}

const shared = Buffer.allocUnsafeSlow(READ_BYTES)
const begins = new WeakMap<object, (take: Take) => void>()

export function newInlet(): Inlet {
  let taker: Take | undefined
  /** What came before anybody took it: one read at most, for reading stops with it. */
  let held: Buffer | undefined
  return {
    onread: {
      buffer: shared,
      callback(length) {
        const bytes = shared.subarray(0, length)
        if (taker !== undefined) return taker(bytes)
        held = held === undefined ? Buffer.from(bytes) : Buffer.concat([held, bytes])
        return false
      },
    },
    bind: (socket) =>
      void begins.set(socket, (take) => {
        taker = take
        const first = held
        held = undefined
        if (first === undefined || take(first)) socket.resume()
      }),
  }
}

/** Lets `take` have what an inlet's connection reads. @returns false for a connection without one, which is read as any other */
export function takeFromInlet(socket: object, take: Take): boolean {
  const begin = begins.get(socket)
  begin?.(take)
  return begin !== undefined
}
