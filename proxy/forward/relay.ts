/**
 * Carries bytes between two connections, each way by itself, until both ways have ended: a half that is closed stays closed
 * alone, and a slow reader holds back its writer. Nothing is looked at.
 *
 * The permit is the proof that policy was asked: without one there is nothing to call this with.
 */
import type { Duplex } from 'node:stream'
import type { Permit } from '../../policy/verdict.ts'
import { cutOff } from './cut-off.ts'
import { takeFromInlet } from './inlet.ts'
import { writeCopy } from './write-copy.ts'

/** `cut`: an end was lost before it had said that it was finished. */
export type RelayEnd =
  | { readonly kind: 'finished' }
  | { readonly kind: 'cut'; readonly by: 'client' | 'upstream'; readonly error: Error | undefined }

/** Both ends must allow half-open connections. @param onEnd called once, when both connections have closed */
export function relay(
  _permit: Permit,
  client: Duplex,
  upstream: Duplex,
  onEnd: (how: RelayEnd) => void,
): void {
  let end: RelayEnd = { kind: 'finished' }
  let open = 2
  const closed = () => {
    open -= 1
    if (open === 0) onEnd(end)
  }
  const cut = (by: 'client' | 'upstream', error: Error | undefined) => {
    if (end.kind === 'finished') end = { kind: 'cut', by, error }
  }
  // One that was lost before we listened tells nobody any more.
  const lost: ('client' | 'upstream')[] = []
  const pump = (from: Duplex, to: Duplex, whose: 'client' | 'upstream') => {
    let error: Error | undefined
    to.on('drain', () => from.resume())
    from.on('end', () => to.end())
    from.on('error', (why) => {
      error = why
    })
    from.on('close', () => {
      if (error !== undefined || !from.readableEnded) {
        if (!to.destroyed) cut(whose, error)
        cutOff(to)
      }
      closed()
    })
    if (!takeFromInlet(from, (bytes) => writeCopy(to, bytes))) {
      from.on('data', (chunk: Buffer) => {
        if (!to.write(chunk)) from.pause()
      })
      from.resume() // it may have been paused by whoever looked at its first bytes
    }
    if (from.closed) lost.push(whose)
  }
  pump(client, upstream, 'client')
  pump(upstream, client, 'upstream')
  for (const whose of lost) {
    cut(whose, undefined)
    closed()
  }
  if (lost.length > 0 || client.destroyed || upstream.destroyed) {
    cutOff(client)
    cutOff(upstream)
  }
}
