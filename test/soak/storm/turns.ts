/** One at a time: whoever takes a turn has it until it is given back, and nobody is left out. */

export interface Turns {
  /** Resolves with what gives the turn back; giving it back twice does nothing. */
  take(): Promise<() => void>
}

export function createTurns(): Turns {
  let last: Promise<void> = Promise.resolve()
  return {
    async take() {
      const before = last
      const { promise, resolve } = Promise.withResolvers<void>()
      last = promise
      await before
      return resolve
    },
  }
}
