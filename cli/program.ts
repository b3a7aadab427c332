/** A family of commands under one word: `server` stands for spire-server, `agent` for spire-agent. */
import type { AnyCommand } from './command.ts'

export interface Entry {
  readonly summary: string
  readonly load: () => Promise<AnyCommand>
  /** The command is there only when the variable of features names this one. */
  readonly feature?: string
}

/** A command, loaded when it is run. */
export const here = (summary: string, load: () => Promise<AnyCommand>): Entry => ({ summary, load })

/** A command for those who asked for the feature by its name in `FEATURES_VARIABLE`. */
export const featured = (feature: string, entry: Entry): Entry => ({ ...entry, feature })

export interface Program {
  /** The word after `steeple`; empty for the commands that have none before them. */
  readonly name: string
  /** SPIRE's program of the same commands, under whose name ours may be started; undefined when there is none. */
  readonly upstream: string | undefined
  readonly summary: string
  /** Before the message of every command that fails, as SPIRE's program has it. */
  readonly errorPrefix: string
  /** Words of a command, joined by a space → the command. */
  readonly commands: ReadonlyMap<string, Entry>
  /** First word of commands → the heading above them in help; those without stand first. */
  readonly headings: ReadonlyMap<string, string>
}

/** As spire-server reads it: names of features with a space between them. */
export const FEATURES_VARIABLE = 'SPIRE_SERVER_FFLAGS'

/** The program with the commands that everybody has and those of the features that were asked for. */
export function withFeatures(
  program: Program,
  env: Readonly<Record<string, string | undefined>>,
): Program {
  const wanted = (env[FEATURES_VARIABLE] ?? '').split(' ')
  const commands = [...program.commands].filter(
    ([, { feature }]) => feature === undefined || wanted.includes(feature),
  )
  return { ...program, commands: new Map(commands) }
}

/** Every command and every group of commands. */
export function pathsOf({ commands }: Pick<Program, 'commands'>): ReadonlySet<string> {
  const paths = new Set<string>()
  for (const command of commands.keys()) {
    const words = command.split(' ')
    for (let length = 1; length <= words.length; length += 1) {
      paths.add(words.slice(0, length).join(' '))
    }
  }
  return paths
}

/** The commands that begin with a path, by the words after it, in the order of the table. */
export function commandsBelow(
  { commands }: Pick<Program, 'commands'>,
  path: readonly string[],
): ReadonlyMap<string, Entry> {
  return new Map(
    [...commands].flatMap(([command, entry]) => {
      const words = command.split(' ')
      const isBelow =
        words.length > path.length && path.every((word, index) => words[index] === word)
      return isBelow ? [[words.slice(path.length).join(' '), entry] as const] : []
    }),
  )
}

/** The words that may follow a path. */
export function wordsAfter(program: Program, path: readonly string[]): ReadonlySet<string> {
  const below = [...commandsBelow(program, path).keys()]
  return new Set(below.map((words) => words.split(' ')[0] ?? ''))
}
