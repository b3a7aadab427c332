/**
 * Every place of a command line where a shell may be asked to complete, with what may follow there. Made from the
 * tables of commands and their flags, so that it cannot differ from them.
 */
import type { AnyCommand } from '../command.ts'
import type { Flag } from '../flag/flag.ts'
import { commandsBelow, type Program, pathsOf } from '../program.ts'

export interface Point {
  /** The words so far, without the name of the program; empty right after it. */
  readonly path: string
  /** Words that lead to further points. */
  readonly words: readonly Offer[]
  readonly flags: readonly OfferedFlag[]
  /** What the command takes beside flags. */
  readonly operands: Values
}

export interface Offer {
  readonly name: string
  readonly summary: string
}

export interface OfferedFlag extends Offer {
  /** Undefined for a boolean, which takes none as a word of its own. */
  readonly value: Values | undefined
}

export type Values =
  | { readonly kind: 'anything' }
  | { readonly kind: 'files' }
  | { readonly kind: 'words'; readonly words: readonly string[] }

/** A program and the words before its commands: none, or its own name after `steeple`. */
export interface Rooted {
  readonly prefix: string
  readonly program: Program
}

/** Loads every command. */
export async function completionPoints(rooted: readonly Rooted[]): Promise<readonly Point[]> {
  const commands = new Map(
    rooted.flatMap(({ prefix, program }) =>
      [...program.commands].map(([path, entry]) => [`${prefix} ${path}`.trim(), entry] as const),
    ),
  )
  const summaries = new Map(rooted.map(({ prefix, program }) => [prefix, program.summary]))
  const points: Point[] = []
  for (const path of ['', ...pathsOf({ commands })]) {
    const below = [...commandsBelow({ commands }, path === '' ? [] : path.split(' '))]
    const first = Map.groupBy(below, ([words]) => words.split(' ')[0] ?? '')
    const words = [...first].map(([name, members]) => {
      const full = `${path} ${name}`.trim()
      const own = commands.get(full)?.summary ?? summaries.get(full)
      const inside = members.map(([more]) => more.slice(name.length + 1)).join(', ')
      return { name, summary: own ?? inside }
    })
    const command = await commands.get(path)?.load()
    points.push({ path, words, ...offersOf(command) })
  }
  return points
}

function offersOf(command: AnyCommand | undefined): Pick<Point, 'flags' | 'operands'> {
  const flags = Object.entries(command?.flags ?? {}).map(([name, flag]) => ({
    name,
    summary: flag.summary,
    value: flag.placeholder === undefined ? undefined : valuesOf(flag.choices),
  }))
  const help = { name: 'help', summary: 'explain the command', value: undefined }
  const operands = valuesOf(command?.words?.choices)
  return { flags: [...flags, help].toSorted(byName), operands }
}

function valuesOf(choices: Flag<unknown>['choices']): Values {
  if (choices === undefined) return { kind: 'anything' }
  return choices === 'files' ? { kind: 'files' } : { kind: 'words', words: choices }
}

const byName = (a: Offer, b: Offer) => (a.name < b.name ? -1 : 1)
