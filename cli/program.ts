/** A family of commands under one word: `server` stands for spire-server, `agent` for spire-agent. */
import type { AnyCommand } from './command.ts'

export interface Entry {
  readonly summary: string
  /** Loads the command; undefined when SPIRE has it and this release does not. */
  readonly load: (() => Promise<AnyCommand>) | undefined
}

/** A command, loaded when it is run. */
export const here = (summary: string, load: () => Promise<AnyCommand>): Entry => ({ summary, load })

/** A command that SPIRE has and this release does not: it is named, and says so. */
export const notYet = (summary: string): Entry => ({ summary, load: undefined })

export interface Program {
  readonly name: 'server' | 'agent'
  readonly summary: string
  /** Before the message of every command that fails, as SPIRE's program has it. */
  readonly errorPrefix: string
  /** Words of a command, joined by a space → the command. */
  readonly commands: ReadonlyMap<string, Entry>
}

/** Every command and every group of commands. */
export function pathsOf({ commands }: Program): ReadonlySet<string> {
  const paths = new Set<string>()
  for (const command of commands.keys()) {
    const words = command.split(' ')
    for (let length = 1; length <= words.length; length += 1) {
      paths.add(words.slice(0, length).join(' '))
    }
  }
  return paths
}

const NOT_YET = '(not implemented yet)'

/** The words that may follow a path, each with what it does; a group is told by its commands. */
export function wordsAfter(
  { commands }: Program,
  path: readonly string[],
): ReadonlyMap<string, string> {
  const below = [...commands].flatMap(([command, entry]) => {
    const words = command.split(' ')
    const isBelow = words.length > path.length && path.every((word, index) => words[index] === word)
    return isBelow ? [{ words: words.slice(path.length), entry }] : []
  })
  const groups = Map.groupBy(below, ({ words }) => words[0] ?? '')
  return new Map([...groups].map(([word, members]) => [word, describe(members)]))
}

interface Member {
  /** From the word that is described. */
  readonly words: readonly string[]
  readonly entry: Entry
}

function describe(members: readonly Member[]): string {
  const own = members.find(({ words }) => words.length === 1)?.entry
  if (own?.load === undefined && own !== undefined) return `${own.summary} ${NOT_YET}`
  const present = members.filter(({ entry }) => entry.load !== undefined)
  const shown = (present.length > 0 ? present : members).filter(({ words }) => words.length > 1)
  const names = shown.map(({ words }) => words.slice(1).join(' ')).join(', ')
  if (own !== undefined) return names === '' ? own.summary : `${own.summary} (also: ${names})`
  return present.length > 0 ? names : `${names} ${NOT_YET}`
}
