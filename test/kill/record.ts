/**
 * What was written, from the writer's side: for each key what was acknowledged last, and what was asked for since and never
 * answered. What the server has later must be one of these, whole: the acknowledged state, or one that is open. States are
 * texts that hold every field, so that a mixture of two of them is neither.
 */

/** Absent is a state as well. */
export type State = string | undefined

/** A write whose result has a content that only the server knows, e.g. the serial number of an SVID. */
export const ANY_CONTENT = '*'

export interface Attempt {
  /** The server said that it is done. */
  acknowledge(state?: State): void
  /** The server said that it is not. */
  refuse(): void
}

export interface Record {
  /** Until the attempt is acknowledged or refused it is open: either state may be found. */
  attempt(key: string, next: State): Attempt
  /** The state that is certain; undefined also for a key that has an open write. */
  sure(key: string): State
  isOpen(key: string): boolean
  /** Keys whose acknowledged state is something. */
  present(): readonly string[]
  /** What is wrong with what was found. From then on, what was found is what is certain. */
  judge(found: ReadonlyMap<string, string>): readonly string[]
  readonly acknowledged: number
  readonly unanswered: number
}

interface Known {
  sure: State
  readonly open: State[]
}

export function createRecord(what: string): Record {
  const known = new Map<string, Known>()
  let acknowledged = 0
  let unanswered = 0
  const of = (key: string): Known => {
    const one = known.get(key) ?? { sure: undefined, open: [] }
    known.set(key, one)
    return one
  }
  return {
    attempt(key, next) {
      const one = of(key)
      one.open.push(next)
      const close = () => one.open.splice(one.open.indexOf(next), 1)
      return {
        acknowledge(state = next) {
          close()
          one.sure = state
          acknowledged += 1
        },
        refuse: close,
      }
    },
    sure: (key) => {
      const one = known.get(key)
      return one === undefined || one.open.length > 0 ? undefined : one.sure
    },
    isOpen: (key) => (known.get(key)?.open.length ?? 0) > 0,
    present: () => [...known].filter(([, { sure }]) => sure !== undefined).map(([key]) => key),
    judge(found) {
      const faults: string[] = []
      for (const key of found.keys()) {
        if (!known.has(key)) faults.push(`${what} ${key} is there, and was never written`)
      }
      for (const [key, one] of known) {
        const state = found.get(key)
        const allowed = [one.sure, ...one.open]
        const isAllowed =
          allowed.includes(state) || (state !== undefined && allowed.includes(ANY_CONTENT))
        if (!isAllowed) {
          faults.push(
            `${what} ${key} is ${state ?? 'absent'}, expected ${allowed.map((one) => one ?? 'absent').join(' or ')}`,
          )
        }
        unanswered += one.open.length
        one.sure = state
        one.open.length = 0
        if (state === undefined) known.delete(key)
      }
      return faults
    },
    get acknowledged() {
      return acknowledged
    },
    get unanswered() {
      return unanswered
    },
  }
}
