/** Randomness as an argument: that of node:crypto, or something that tests can predict. */
import { randomInt } from 'node:crypto'

/** A number from 0 (included) to 1 (excluded). */
export type Random = () => number

/** As `randomBytes` of node:crypto. */
export type RandomBytes = (size: number) => Uint8Array

const STEPS = 2 ** 32

/** That of the system; nobody can predict it. */
export const systemRandom: Random = () => randomInt(STEPS) / STEPS
