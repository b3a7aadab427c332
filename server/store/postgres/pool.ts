/**
 * Connections that are lent one at a time, as Go's database/sql lends them: so many at once, so many kept
 * when nobody needs them, each for so long. Who comes when all are lent waits in line, and the line has an end.
 */
import type { Clock } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { closedError } from '../closed-error.ts'
import type { LiveClient } from './open-client.ts'

const MAX_WAITING = 10_000

export interface PoolDeps {
  readonly open: () => Promise<LiveClient>
  readonly maxOpen: number
  readonly maxIdle: number
  /** Undefined: as long as it works. */
  readonly lifeMs: number | undefined
  readonly clock: Clock
}

export interface Lease {
  readonly live: LiveClient
  /** False: it is in an unknown state, and is closed; so is one that was lost. */
  release(isGood: boolean): void
}

export interface Pool {
  /** @throws IdentityError UNAVAILABLE when it is closed, too many wait, or no connection can be made */
  take(): Promise<Lease>
  /** Waits for what is lent, then closes everything. May be called twice. */
  close(): Promise<void>
}

interface Kept {
  readonly live: LiveClient
  readonly until: number
}

export function createPool({ open, maxOpen, maxIdle, lifeMs, clock }: PoolDeps): Pool {
  const idle: Kept[] = []
  const line: { go: () => void; fail: (error: unknown) => void }[] = []
  let lent = 0
  let closed = false
  let allBack = Promise.withResolvers<void>()
  allBack.resolve()
  const nowMs = () => clock.now().getTime()

  const isFresh = ({ live, until }: Kept) => !live.lost.aborted && nowMs() < until
  const end = ({ live }: Kept) => {
    live.client.end().catch(() => {}) // it is gone either way
  }
  /** The place of who gives back goes to the next in line, so that nobody slips in between. */
  const giveBack = () => {
    const next = line.shift()
    if (next !== undefined) return next.go()
    lent -= 1
    if (lent === 0) allBack.resolve()
  }
  const lend = (kept: Kept): Lease => {
    let isLent = true
    return {
      live: kept.live,
      release: (isGood) => {
        if (!isLent) return
        isLent = false
        if (isGood && !closed && idle.length < maxIdle && isFresh(kept)) idle.push(kept)
        else end(kept)
        giveBack()
      },
    }
  }
  /** The one used last: the others become old and go. */
  const idleOne = (): Kept | undefined => {
    for (let kept = idle.pop(); kept !== undefined; kept = idle.pop()) {
      if (isFresh(kept)) return kept
      end(kept)
    }
    return undefined
  }
  const takePlace = (): Promise<void> | undefined => {
    if (lent < maxOpen) {
      if (lent === 0) allBack = Promise.withResolvers()
      lent += 1
      return undefined
    }
    if (line.length >= MAX_WAITING) {
      throw new IdentityError(
        'UNAVAILABLE',
        `${MAX_WAITING} calls are waiting for one of ${maxOpen} connections to the database, try again later`,
      )
    }
    return new Promise((go, fail) => line.push({ go, fail }))
  }

  return {
    take: async () => {
      if (closed) throw closedError()
      await takePlace()
      const known = idleOne()
      if (known !== undefined) return lend(known)
      try {
        const until = lifeMs === undefined ? Number.POSITIVE_INFINITY : nowMs() + lifeMs
        return lend({ live: await open(), until })
      } catch (error) {
        giveBack()
        throw error
      }
    },
    close: async () => {
      closed = true
      for (const { fail } of line.splice(0)) fail(closedError())
      await allBack.promise
      for (const kept of idle.splice(0)) end(kept)
    },
  }
}
