/**
 * Finds the command that a command line names, by the rules of spire-server and spire-agent: the longest path of
 * words wins, `-h` counts wherever it stands, and a flag before the command is a mistake.
 */

export interface Sought {
  /** The words of the command, empty when none was found. */
  readonly path: readonly string[]
  /** What follows the command. */
  readonly args: readonly string[]
  /** The first word, whether a command has it or not. */
  readonly word: string | undefined
  readonly wantsHelp: boolean
  /** Asked for before any command. */
  readonly wantsVersion: boolean
  /** Flags before the command, which belong to nothing. */
  readonly strayFlags: readonly string[]
}

const HELP: ReadonlySet<string> = new Set(['-h', '-help', '--help'])
const VERSION: ReadonlySet<string> = new Set(['-v', '-version', '--version'])

/** @param paths every command and every group, words joined by a space */
export function findCommand(args: readonly string[], paths: ReadonlySet<string>): Sought {
  const end = args.indexOf('--')
  const wantsHelp = args.slice(0, end === -1 ? args.length : end).some((word) => HELP.has(word))
  const start = args.findIndex((word) => word !== '' && !word.startsWith('-'))
  const before = args.slice(0, start === -1 || (end !== -1 && end < start) ? args.length : start)
  const flags = before.filter((word) => word.startsWith('-') && word !== '--')
  const wantsVersion = flags.some((word) => VERSION.has(word))
  const strayFlags = flags.filter((word) => !HELP.has(word) && !VERSION.has(word))
  if (before.length === args.length) {
    return { path: [], args: [], word: undefined, wantsHelp, wantsVersion, strayFlags }
  }
  const words = args.slice(start)
  const path = longestPath(words, paths)
  const rest = words.slice(path.length)
  return { path, args: rest, word: words[0], wantsHelp, wantsVersion, strayFlags }
}

function longestPath(words: readonly string[], paths: ReadonlySet<string>): readonly string[] {
  let found: readonly string[] = []
  for (let length = 1; length <= words.length; length += 1) {
    const path = words.slice(0, length)
    if (path.some((word) => word.includes(' ')) || !paths.has(path.join(' '))) break
    found = path
  }
  return found
}
