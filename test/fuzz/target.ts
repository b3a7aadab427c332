/**
 * What is fuzzed: a reader of bytes from outside, and what it owes whoever calls it (its oracle). A reader may answer or
 * refuse with an IdentityError; anything else that it throws, an answer that the oracle denies, and work or memory beyond
 * bounds are finds.
 */
import { IdentityError } from '../../spiffe/error.ts'

export interface FuzzTarget {
  /** Also the name of its corpus, `corpus/<name>.jsonl`. */
  readonly name: string
  /** What it owes, in words, for the report. */
  readonly oracle: string
  /** Inputs to begin with, beside the corpus. */
  readonly seeds: readonly Uint8Array[]
  /** Words of the format, which chance would not find. Latin-1. */
  readonly dictionary: readonly string[]
  /** Longer inputs are cut. */
  readonly maxBytes: number
  /** Its part of a number of inputs that are shared out; 10 for what takes microseconds, 1 for what signs or writes. */
  readonly share: number
  /** @throws anything but an IdentityError where the oracle is broken */
  run(input: Buffer): void | Promise<void>
  /** Runs before the first input, in the thread that fuzzes. */
  open?(): Promise<void>
  /** Frees what it opened. */
  close?(): Promise<void>
}

/** The oracle was broken. */
export function broken(why: string, cause?: unknown): Error {
  return new Error(`oracle: ${why}`, { cause })
}

/** Is told the answer where there is one; a refusal is nothing to look at. @throws whatever is no refusal */
export function answerOf<T>(read: () => T): { readonly answer: T } | undefined {
  try {
    return { answer: read() }
  } catch (error) {
    if (error instanceof IdentityError) return undefined
    throw error
  }
}

/** As `answerOf`, for another's reader, which may throw what it likes. */
export function readByOther<T>(read: () => T): { readonly answer: T } | undefined {
  try {
    return { answer: read() }
  } catch {
    return undefined
  }
}

/** For oracles of equality: both as JSON, with bytes and numbers beyond JSON as text. */
export function mustEqual(what: string, seen: unknown, expected: unknown): void {
  const [one, other] = [show(seen), show(expected)]
  if (one !== other) throw broken(`${what}: ${one.slice(0, 500)} is not ${other.slice(0, 500)}`)
}

/** Buffers would write themselves as lists of numbers: the value is asked of whatever holds it. */
function show(value: unknown): string {
  const told = function (this: Readonly<Record<string, unknown>>, key: string): unknown {
    const part = this[key]
    if (typeof part === 'bigint') return `${part}n`
    if (part instanceof Uint8Array) return Buffer.from(part).toString('hex')
    if (part instanceof Map || part instanceof Set) return [...part]
    return part
  }
  return JSON.stringify(value, told) ?? 'undefined'
}

export const ofText = (text: string): Buffer => Buffer.from(text, 'utf8')
