/** Randomness as an argument: that of node:crypto, or something that tests can predict. */

/** A number from 0 (included) to 1 (excluded). */
export type Random = () => number

/** As `randomBytes` of node:crypto. */
export type RandomBytes = (size: number) => Uint8Array
