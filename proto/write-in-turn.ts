/**
 * Answers to processes that do not read them: each process has so many bytes on their way, and what it is told beyond that is written
 * when it has read. Nothing waits here in encoded form, so a thousand streams that are never read keep one message a stream.
 */
import { type Bounds, type Holder, shareOut } from './fair-share.ts'

/** What is written to; Node's streams tell how many bytes they hold. */
export interface Outlet {
  readonly writableLength: number
  once(event: 'close', listener: () => void): unknown
}

/** Does the writing, now or later; never when the stream has closed before. @param written to be called when the kernel has taken it */
type Write = (written: () => void) => void

export interface Writers {
  /** @returns writes to this stream, when it is the process's turn */
  of(holder: Holder, outlet: Outlet): (write: Write) => void
}

interface Stream {
  readonly holder: Holder
  readonly outlet: Outlet
  bytes: number
  isClosed: boolean
}

/** A process without anything on its way may always be told something: it is never kept waiting by others. */
export function openWriters(bounds: Bounds): Writers {
  const unsent = shareOut(bounds)
  /** In the order in which they came; as many as the process has streams, for each has one message at a time. */
  const waiting = new Map<number, (() => void)[]>()
  const mayWrite = (who: Holder) =>
    unsent.heldBy(who.pid) === 0 || unsent.excess(who, 1) === undefined
  const wake = (who: Holder) => {
    const queue = waiting.get(who.pid)
    while (queue !== undefined && queue.length > 0 && mayWrite(who)) queue.shift()?.()
    if (queue?.length === 0) waiting.delete(who.pid)
  }
  const release = (stream: Stream, bytes: number) => {
    stream.bytes -= bytes
    unsent.release(stream.holder, bytes)
    wake(stream.holder)
  }
  const writeNow = (stream: Stream, write: Write) => {
    if (stream.isClosed) return
    const before = stream.outlet.writableLength
    let bytes = 0
    write(() => {
      if (!stream.isClosed) release(stream, bytes)
    })
    bytes = Math.max(0, stream.outlet.writableLength - before)
    stream.bytes += bytes
    unsent.hold(stream.holder, bytes)
  }
  return {
    of(holder, outlet) {
      const stream: Stream = { holder, outlet, bytes: 0, isClosed: false }
      outlet.once('close', () => {
        stream.isClosed = true
        release(stream, stream.bytes)
      })
      return (write) => {
        const queue = waiting.get(holder.pid)
        if (queue === undefined && mayWrite(holder)) writeNow(stream, write)
        else if (queue === undefined) waiting.set(holder.pid, [() => writeNow(stream, write)])
        else queue.push(() => writeNow(stream, write))
      }
    },
  }
}
