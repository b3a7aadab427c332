/** A connection upstream within its time, or the reason why there is none; a late one is closed. */
import type { Duplex } from 'node:stream'
import type { Deadlines } from './deadlines.ts'
import type { HttpLimits } from './limits.ts'
import { connectFailure, type UpstreamFailure } from './local-answer.ts'

export type Connected =
  | { readonly kind: 'connected'; readonly socket: Duplex }
  | { readonly kind: 'failed'; readonly failure: UpstreamFailure }

export interface Connecting {
  readonly connect: (signal: AbortSignal) => Promise<Duplex>
  readonly deadlines: Deadlines
  readonly limits: HttpLimits
}

/** Never rejects, and never takes longer than `connectTimeoutMs`, whatever `connect` does about its signal. */
export async function boundedConnect({
  connect,
  deadlines,
  limits,
}: Connecting): Promise<Connected> {
  const abort = new AbortController()
  const { promise: timedOut, resolve: giveUp } = Promise.withResolvers<Connected>()
  const deadline = deadlines.add(() => {
    giveUp({ kind: 'failed', failure: { kind: 'connect-timeout' } })
    abort.abort()
  })
  deadlines.set(deadline, limits.connectTimeoutMs)
  const made = connect(abort.signal).then(
    (socket): Connected => {
      if (abort.signal.aborted) socket.destroy()
      return { kind: 'connected', socket }
    },
    (error: unknown): Connected => ({ kind: 'failed', failure: connectFailure(error) }),
  )
  try {
    return await Promise.race([made, timedOut])
  } finally {
    deadlines.delete(deadline)
  }
}
