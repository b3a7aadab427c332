/**
 * Makes new inputs of known ones: bits, numbers, words of the format, pieces doubled, dropped, moved and taken from other
 * inputs. Pure but for the randomness it is given; what it makes is never longer than it is told.
 */
import type { Random } from '../../spiffe/random.ts'
import { below, pick } from '../fakes/seeded.ts'

export interface Material {
  readonly random: Random
  readonly corpus: readonly Buffer[]
  readonly dictionary: readonly Buffer[]
  readonly maxBytes: number
}

type Mutation = (input: Buffer, material: Material) => Buffer

/** Where readers change their minds. */
const BYTES = [0, 1, 0x7f, 0x80, 0x81, 0x82, 0xff, 0x20, 0x0a, 0x0d, 0x22, 0x30, 0x2f, 0x3a, 0x5c]
const NUMBERS = ['0', '-1', '255', '256', '65535', '65536', '2147483648', '4294967296', '1e999']
/** Copies of a piece, at most: depth and length bounds are met by many of the same. */
const MAX_COPIES = 64
const MAX_STEPS = 5

const replace = (input: Buffer, from: number, to: number, by: Uint8Array): Buffer =>
  Buffer.concat([input.subarray(0, from), by, input.subarray(to)])

function pieceOf(input: Buffer, random: Random): readonly [number, number] {
  const from = below(random, input.length + 1)
  // Short pieces more often than long ones.
  const length = Math.floor((input.length - from + 1) * random() ** 3)
  return [from, from + length]
}

const MUTATIONS: readonly Mutation[] = [
  (input, { random }) => {
    const changed = Buffer.from(input)
    const at = below(random, changed.length)
    if (at < changed.length) changed[at] = (changed[at] ?? 0) ^ (1 << below(random, 8))
    return changed
  },
  (input, { random }) => {
    const changed = Buffer.from(input)
    if (changed.length > 0) changed[below(random, changed.length)] = below(random, 256)
    return changed
  },
  (input, { random }) => {
    const at = below(random, input.length + 1)
    return replace(input, at, at, Buffer.from([pick(random, BYTES) ?? 0]))
  },
  (input, { random }) => {
    const changed = Buffer.from(input)
    if (changed.length > 0) changed[below(random, changed.length)] = pick(random, BYTES) ?? 0
    return changed
  },
  // A step up or down: lengths and counters.
  (input, { random }) => {
    const changed = Buffer.from(input)
    const at = below(random, changed.length)
    if (at < changed.length)
      changed[at] = ((changed[at] ?? 0) + (random() < 0.5 ? 1 : -1) * (1 + below(random, 4))) & 255
    return changed
  },
  (input, { random }) => replace(input, ...pieceOf(input, random), Buffer.alloc(0)),
  // Copies of a piece behind itself.
  (input, { random, maxBytes }) => {
    const [from, to] = pieceOf(input, random)
    const most = Math.min(MAX_COPIES, Math.floor(maxBytes / Math.max(1, to - from)))
    const copies = 1 + Math.floor(most * random() ** 4)
    const piece = input.subarray(from, to)
    return replace(input, to, to, Buffer.concat(Array<Buffer>(copies).fill(piece)))
  },
  // A piece goes elsewhere.
  (input, { random }) => {
    const [from, to] = pieceOf(input, random)
    const at = below(random, input.length + 1)
    return replace(input, at, at, input.subarray(from, to))
  },
  (input, { random, dictionary }) => {
    const at = below(random, input.length + 1)
    return replace(input, at, at, pick(random, dictionary) ?? Buffer.alloc(0))
  },
  (input, { random, dictionary }) =>
    replace(input, ...pieceOf(input, random), pick(random, dictionary) ?? Buffer.alloc(0)),
  (input, { random, dictionary }) => {
    const word = pick(random, dictionary) ?? Buffer.alloc(0)
    const from = below(random, input.length + 1)
    return replace(input, from, Math.min(input.length, from + word.length), word)
  },
  (input, { random }) => {
    const number = Buffer.from(pick(random, NUMBERS) ?? '')
    const digits = /\d+/.exec(input.toString('latin1', below(random, input.length + 1)))
    if (digits === null) return replace(input, ...pieceOf(input, random), number)
    const from = input.indexOf(digits[0], 0, 'latin1')
    return replace(input, from, from + digits[0].length, number)
  },
  // The beginning of this one and the end of another.
  (input, { random, corpus }) => {
    const other = pick(random, corpus) ?? input
    const [, to] = pieceOf(input, random)
    return Buffer.concat([input.subarray(0, to), other.subarray(below(random, other.length + 1))])
  },
  (input, { random, corpus }) => {
    const other = pick(random, corpus) ?? input
    return replace(input, ...pieceOf(input, random), other.subarray(...pieceOf(other, random)))
  },
]

export function mutate(input: Buffer, material: Material): Buffer {
  let made = input
  const steps = 1 + below(material.random, MAX_STEPS)
  for (let step = 0; step < steps; step += 1) {
    const mutation = pick(material.random, MUTATIONS)
    if (mutation !== undefined) made = mutation(made, material).subarray(0, material.maxBytes)
  }
  return made
}
