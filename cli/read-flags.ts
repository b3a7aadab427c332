/**
 * Reads the flags of one command: Go's syntax first, then commander, which knows each flag's value. The first
 * thing that is wrong ends the reading, as it does in Go.
 */
import { Command, Option } from 'commander'
import { nearest } from '../config/nearest.ts'
import { IdentityError } from '../spiffe/error.ts'
import type { AnyCommand } from './command.ts'
import type { Flag, Flags, FlagValues } from './flag/flag.ts'
import { type FlagMistake, parseGoFlags, parseWordsAndFlags } from './go-flags.ts'
import { quote } from './output/go-quote.ts'

export interface ReadFlags {
  readonly values: FlagValues<Flags>
  /** Words that are no flags: as many as the command takes, or else whatever stands after the flags. */
  readonly rest: readonly string[]
}

/** @throws IdentityError REQUEST_INVALID in the words of Go's flag package, with what was probably meant */
export function readFlags(
  { flags, words }: Pick<AnyCommand, 'flags' | 'words'>,
  args: readonly string[],
): ReadFlags {
  const split = words === undefined ? parseGoFlags : parseWordsAndFlags
  const { given, rest, mistake } = split(args, (name) => {
    const flag = Object.hasOwn(flags, name) ? flags[name] : undefined
    if (flag === undefined) return undefined
    return flag.placeholder === undefined ? 'boolean' : 'value'
  })
  const parser = new Command().exitOverride().helpOption(false).allowExcessArguments(false)
  for (const [name, flag] of Object.entries(flags)) parser.addOption(optionOf(name, flag))
  parser.parse(
    given.map(({ name, value }) => `--${name}=${value}`),
    { from: 'user' },
  )
  if (mistake !== undefined) throw refusal(describe(mistake, Object.keys(flags)))
  const isCounted = words?.count === 'some' ? rest.length > 0 : rest.length === words?.count
  if (words !== undefined && !isCounted) {
    const seen = rest.length === 0 ? 'nothing' : rest.map(quote).join(' ')
    throw refusal(`expected ${words.usage}, got ${seen}`)
  }
  const boxes = Object.entries(parser.opts<Readonly<Record<string, Box>>>())
  return { values: Object.fromEntries(boxes.map(([name, { value }]) => [name, value])), rest }
}

/** Commander takes a value that is undefined for one that is missing, and puts another in its place. */
interface Box {
  readonly value: unknown
}

function optionOf(name: string, flag: Flag<unknown>): Option {
  return new Option(`--${name} <value>`)
    .default({ value: flag.initial } satisfies Box)
    .argParser((text: string, previous: Box): Box => {
      try {
        return { value: flag.read(text, previous.value) }
      } catch (error) {
        if (!(error instanceof IdentityError)) throw error
        const what =
          flag.placeholder === undefined
            ? `invalid boolean value ${quote(text)} for -${name}`
            : `invalid value ${quote(text)} for flag -${name}`
        throw refusal(`${what}: ${error.message}`, error)
      }
    })
}

function describe(mistake: FlagMistake, names: readonly string[]): string {
  switch (mistake.kind) {
    case 'syntax':
      return `bad flag syntax: ${mistake.word}`
    case 'value missing':
      return `flag needs an argument: -${mistake.name}`
    case 'unknown': {
      const meant = nearest(mistake.name, names)
      const hint = meant === undefined ? '' : `\nDid you mean -${meant}?`
      return `flag provided but not defined: -${mistake.name}${hint}`
    }
  }
}

function refusal(message: string, cause?: unknown): IdentityError {
  return new IdentityError('REQUEST_INVALID', message, cause === undefined ? {} : { cause })
}
