/**
 * Answers to processes that do not read them: each process has so many bytes on their way, and what it is told beyond that is written
 * when it has read. Nothing waits here in encoded form, so a thousand streams that are never read keep one message a stream.
 */
import { type Bounds, type Holder, shareOut } from './share-out.ts'

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
  /** How many messages wait until this process has read: one for each of its open streams at most, where each has one at a time. */
  waitingOf(pid: number): number
}

interface Stream {
  readonly holder: Holder
  readonly outlet: Outlet
  bytes: number
  isClosed: boolean
}

/** What is to be said on one stream, in order. */
type Unsaid = Set<Write>

/** A process without anything on its way may always be told something: it is never kept waiting by others. */
export function writeInTurn(bounds: Bounds): Writers {
  const unsent = shareOut(bounds)
  /** Of each process its open streams that have something to say, the one that has waited longest first; nothing of closed ones. */
  const waiting = new Map<number, Map<Stream, Unsaid>>()
  const mayWrite = (who: Holder) =>
    unsent.heldBy(who.pid) === 0 || unsent.excess(who, 1) === undefined
  const forget = (stream: Stream) => {
    const streams = waiting.get(stream.holder.pid)
    streams?.delete(stream)
    if (streams?.size === 0) waiting.delete(stream.holder.pid)
  }
  const wake = (who: Holder) => {
    for (const [stream, unsaid] of waiting.get(who.pid) ?? []) {
      for (const write of unsaid) {
        if (!mayWrite(who)) return
        unsaid.delete(write)
        if (unsaid.size === 0) forget(stream)
        writeNow(stream, write)
      }
    }
  }
  const release = (stream: Stream, bytes: number) => {
    stream.bytes -= bytes
    unsent.release(stream.holder, bytes)
    wake(stream.holder)
  }
  const writeNow = (stream: Stream, write: Write) => {
    const before = stream.outlet.writableLength
    let bytes = 0
    write(() => {
      if (!stream.isClosed) release(stream, bytes)
    })
    bytes = Math.max(0, stream.outlet.writableLength - before)
    stream.bytes += bytes
    unsent.hold(stream.holder, bytes)
  }
  const later = (stream: Stream, write: Write) => {
    const streams = waiting.get(stream.holder.pid) ?? new Map<Stream, Unsaid>()
    waiting.set(stream.holder.pid, streams)
    const unsaid: Unsaid = streams.get(stream) ?? new Set()
    streams.set(stream, unsaid.add(write))
  }
  return {
    of(holder, outlet) {
      const stream: Stream = { holder, outlet, bytes: 0, isClosed: false }
      outlet.once('close', () => {
        stream.isClosed = true
        forget(stream)
        release(stream, stream.bytes)
      })
      return (write) => {
        if (stream.isClosed) return
        if (!waiting.has(holder.pid) && mayWrite(holder)) writeNow(stream, write)
        else later(stream, write)
      }
    },
    waitingOf: (pid) =>
      [...(waiting.get(pid)?.values() ?? [])].reduce((sum, { size }) => sum + size, 0),
  }
}
