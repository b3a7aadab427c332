/**
 * What agents must know, and since when: what was acknowledged must be at its agent within the bound, and must then stay
 * so until somebody writes again. Pure; time and what agents know are handed in.
 */

/** `undefined`: a write is on its way, or was never answered, so either state may be found. */
export type Wanted =
  | { readonly kind: 'present'; readonly revision: number }
  | { readonly kind: 'absent' }
  | undefined

/** What the agent of a key knows of it. */
export interface Seen {
  /** Undefined: it is not authorized for such an entry. */
  readonly revision: number | undefined
  /** It could serve a valid SVID of it. */
  readonly holds: boolean
}

export interface Expectations {
  /** What holds from this moment on, in milliseconds since 1970. */
  expect(key: string, wanted: Wanted, atMs: number): void
  /** Compares all of it with what is seen now. */
  check(nowMs: number, seenOf: (key: string) => Seen): void
  /** Keys that nobody has seen yet as they must be. */
  open(): readonly string[]
  /** How long it took until each was so, milliseconds, by what was wanted. */
  readonly delaysMs: { readonly present: readonly number[]; readonly absent: readonly number[] }
  readonly faults: readonly string[]
}

export interface ExpectationOptions {
  readonly boundMs: number
  /** How much of this time does not count, because nobody could know anything. */
  excusedMs(fromMs: number, untilMs: number): number
  /** Of whom a fault is told. */
  nameOf(key: string): string
}

interface Expected {
  readonly wanted: NonNullable<Wanted>
  readonly sinceMs: number
  state: 'open' | 'met' | 'failed'
}

export function createExpectations(options: ExpectationOptions): Expectations {
  const { boundMs, excusedMs, nameOf } = options
  const all = new Map<string, Expected>()
  const delaysMs = { present: [] as number[], absent: [] as number[] }
  const faults: string[] = []

  const look = (key: string, one: Expected, seen: Seen, nowMs: number) => {
    const { wanted, sinceMs } = one
    const isSo = isAs(wanted, seen)
    if (isSo && one.state === 'open') {
      one.state = 'met'
      delaysMs[wanted.kind].push(nowMs - sinceMs)
    } else if (!isSo && one.state === 'met') {
      one.state = 'failed'
      const at = new Date(nowMs).toISOString()
      faults.push(`${nameOf(key)}: was ${told(wanted)}, and is ${toldSeen(seen)} at ${at}`)
    } else if (!isSo && one.state === 'open') {
      const lateMs = nowMs - sinceMs - excusedMs(sinceMs, nowMs)
      if (lateMs <= boundMs) return
      one.state = 'failed'
      const since = new Date(sinceMs).toISOString()
      faults.push(
        `${nameOf(key)}: must be ${told(wanted)} since ${since}, and is ${toldSeen(seen)} after ${lateMs} ms`,
      )
    }
  }
  return {
    ...{ delaysMs, faults },
    expect(key, wanted, atMs) {
      if (wanted === undefined) all.delete(key)
      else all.set(key, { wanted, sinceMs: atMs, state: 'open' })
    },
    check(nowMs, seenOf) {
      for (const [key, one] of all) {
        if (one.state !== 'failed') look(key, one, seenOf(key), nowMs)
      }
    },
    open: () => [...all].flatMap(([key, { state }]) => (state === 'open' ? key : [])),
  }
}

/** An SVID of a later version is as good: somebody else's write may have been seen already. */
function isAs(wanted: NonNullable<Wanted>, { revision, holds }: Seen): boolean {
  if (wanted.kind === 'absent') return revision === undefined && !holds
  return revision !== undefined && revision >= wanted.revision && holds
}

const told = (wanted: NonNullable<Wanted>) =>
  wanted.kind === 'absent' ? 'gone' : `there with an SVID of revision ${wanted.revision}`

const toldSeen = ({ revision, holds }: Seen) =>
  revision === undefined
    ? `${holds ? 'unknown, with an SVID' : 'unknown'}`
    : `of revision ${revision}, ${holds ? 'with' : 'without'} a valid SVID`
