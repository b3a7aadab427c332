/**
 * Looks at the first bytes of a connection and puts them back, so that whoever serves it sees all of them. A client that
 * stays silent until the deadline is told apart from one that has gone.
 */
import type { Duplex } from 'node:stream'
import type { Deadlines } from '../http/deadlines.ts'

export interface PeekOptions<T extends object> {
  /** Undefined: more bytes are wanted. */
  readonly look: (bytes: Buffer) => T | undefined
  readonly deadlines: Deadlines
  /** From now; a silent client is one whose first bytes are not enough by then, too. */
  readonly timeoutMs: number
}

export type Peeked<T> =
  | { readonly kind: 'seen'; readonly seen: T }
  /** `begun` came until the deadline and was not enough; undefined when nothing did. */
  | { readonly kind: 'silent'; readonly begun: Buffer | undefined }

/** @param done not called when the connection ends before anything was seen; it is closed then */
export function peek<T extends object>(
  stream: Duplex,
  { look, deadlines, timeoutMs }: PeekOptions<T>,
  done: (peeked: Peeked<T>) => void,
): void {
  let bytes: Buffer | undefined
  const finish = (peeked: Peeked<T> | undefined) => {
    stream.off('data', onData).off('end', onGone).off('close', onGone)
    deadlines.delete(deadline)
    if (peeked === undefined) {
      stream.destroy()
      return
    }
    stream.pause()
    if (bytes !== undefined) stream.unshift(bytes)
    done(peeked)
  }
  const onData = (chunk: Buffer) => {
    bytes = bytes === undefined ? chunk : Buffer.concat([bytes, chunk])
    const seen = look(bytes)
    if (seen !== undefined) finish({ kind: 'seen', seen })
  }
  const onGone = () => finish(undefined)
  const deadline = deadlines.add(() => finish({ kind: 'silent', begun: bytes }))
  deadlines.set(deadline, timeoutMs)
  stream.on('data', onData).on('end', onGone).on('close', onGone)
  stream.resume() // somebody else may have looked already, and paused it
}
