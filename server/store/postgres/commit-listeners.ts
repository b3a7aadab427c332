/**
 * Who hears of commits, of this process and of others; each sequence is told once, and none after a greater one, for as long as
 * commits of others are heard. After that the log may go on at a lower place: a standby that lacked the last commits is primary.
 */

export interface CommitListeners {
  /** @returns how to stop listening */
  add(listener: (sequence: number) => void): () => void
  /** Tells everybody, unless this or a later commit has been told already. */
  tell(sequence: number): void
  /** Whether commits of other servers are heard from now on. */
  setHearing(hears: boolean): void
  /** As `ChangeLog` has it. */
  hearing(): number | undefined
}

export function createCommitListeners(): CommitListeners {
  const listeners = new Set<(sequence: number) => void>()
  let told = 0
  let times = 0
  let hears = false
  return {
    add: (listener) => {
      // a wrapper of its own: the same function may listen twice
      const entry = (sequence: number) => listener(sequence)
      listeners.add(entry)
      return () => listeners.delete(entry)
    },
    tell: (sequence) => {
      if (sequence <= told) return
      told = sequence
      for (const listener of listeners) listener(sequence)
    },
    setHearing: (now) => {
      if (now && !hears) times += 1
      if (now !== hears) told = 0
      hears = now
    },
    hearing: () => (hears ? times : undefined),
  }
}
