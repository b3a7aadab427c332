/** Randomness that a seed repeats (mulberry32): what a run chose can be chosen again. Not for secrets. */
import type { Random } from '../../spiffe/random.ts'

const STEP = 0x6d2b79f5
const RANGE = 2 ** 32

export function seeded(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + STEP) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / RANGE
  }
}

export const below = (random: Random, bound: number): number => Math.floor(random() * bound)

export function pick<T>(random: Random, from: readonly T[]): T | undefined {
  return from[below(random, from.length)]
}
