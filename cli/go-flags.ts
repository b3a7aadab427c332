/**
 * Splits a command line the way Go's flag package does: `-x value`, `-x=value`, `--x`, booleans that take a
 * value only after `=`, `--` as the end. The first word that is no flag ends the flags, too.
 *
 * @see https://pkg.go.dev/flag#hdr-Command_line_flag_syntax
 */

export type FlagShape = 'boolean' | 'value'

export interface GivenFlag {
  readonly name: string
  /** `true` for a boolean without one. */
  readonly value: string
}

export type FlagMistake =
  | { readonly kind: 'syntax'; readonly word: string }
  | { readonly kind: 'unknown'; readonly name: string }
  | { readonly kind: 'value missing'; readonly name: string }

export interface GoFlags {
  /** In order, up to the mistake if there is one. */
  readonly given: readonly GivenFlag[]
  /** What comes after the flags. */
  readonly rest: readonly string[]
  readonly mistake: FlagMistake | undefined
  /** Whether `--` ended the flags: what comes after it are words, whatever they look like. */
  readonly isClosed: boolean
}

/** @param shapeOf undefined for a flag that the command does not have */
export function parseGoFlags(
  args: readonly string[],
  shapeOf: (name: string) => FlagShape | undefined,
): GoFlags {
  const given: GivenFlag[] = []
  const stop = (at: number, mistake?: FlagMistake, isClosed = false): GoFlags => ({
    given,
    rest: args.slice(at),
    mistake,
    isClosed,
  })
  let at = 0
  while (at < args.length) {
    const word = args[at] ?? ''
    if (word.length < 2 || !word.startsWith('-')) return stop(at)
    if (word === '--') return stop(at + 1, undefined, true)
    const body = word.slice(word.startsWith('--') ? 2 : 1)
    if (body.startsWith('-') || body.startsWith('=')) return stop(at, { kind: 'syntax', word })
    const equals = body.indexOf('=')
    const name = equals === -1 ? body : body.slice(0, equals)
    const shape = shapeOf(name)
    if (shape === undefined) return stop(at, { kind: 'unknown', name })
    at += 1
    if (equals !== -1) given.push({ name, value: body.slice(equals + 1) })
    else if (shape === 'boolean') given.push({ name, value: 'true' })
    else {
      const value = args[at]
      if (value === undefined) return stop(at, { kind: 'value missing', name })
      given.push({ name, value })
      at += 1
    }
  }
  return stop(at)
}

/** As `parseGoFlags`, with words between the flags: they end up in `rest`, in their order. */
export function parseWordsAndFlags(
  args: readonly string[],
  shapeOf: (name: string) => FlagShape | undefined,
): GoFlags {
  const given: GivenFlag[] = []
  const words: string[] = []
  let left = args
  for (;;) {
    const part = parseGoFlags(left, shapeOf)
    given.push(...part.given)
    const [word, ...more] = part.rest
    if (word === undefined || part.isClosed || part.mistake !== undefined) {
      return { ...part, given, rest: [...words, ...part.rest] }
    }
    words.push(word)
    left = more
  }
}
