/** Randomness as an argument: `randomBytes` of node:crypto, or something that tests can predict. */

export type RandomBytes = (size: number) => Uint8Array
