/**
 * Asks the other end of a connection every now and then whether it is there. One that does not answer is dropped, for a
 * peer that vanished without a word would keep its tunnels open for ever.
 */
import type { Http2Session } from 'node:http2'
import type { Deadlines } from '../http/deadlines.ts'

export const PING_EVERY_MS = 10_000
export const PING_TIMEOUT_MS = 20_000

/** Goes on until the session has closed. */
export function keepAlive(session: Http2Session, deadlines: Deadlines): void {
  let isAsked = false
  const deadline = deadlines.add(() => {
    if (session.destroyed) return
    if (isAsked) {
      session.destroy(new Error(`no answer to a ping within ${PING_TIMEOUT_MS / 1000} s`))
      return
    }
    isAsked = true
    deadlines.set(deadline, PING_TIMEOUT_MS)
    session.ping((error) => {
      isAsked = false
      if (error === null && !session.destroyed) deadlines.set(deadline, PING_EVERY_MS)
    })
  })
  deadlines.set(deadline, PING_EVERY_MS)
  session.once('close', () => deadlines.delete(deadline))
}
