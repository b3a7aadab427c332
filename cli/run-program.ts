/**
 * One command line of spire-server, of spire-agent, or of our own commands, from its words to its exit code. Every
 * failure is told once, on standard error, in the words and with the exit codes of SPIRE; a bug shows its stack.
 */
import { nearest } from '../config/nearest.ts'
import { IdentityError } from '../spiffe/error.ts'
import type { AnyCommand, Session } from './command.ts'
import { findCommand } from './find-command.ts'
import { commandHelp, groupHelp } from './help.ts'
import { FEATURES_VARIABLE, type Program, pathsOf, withFeatures, wordsAfter } from './program.ts'
import { PROGRAMS } from './programs.ts'
import { readFlags } from './read-flags.ts'
import { readVersion } from './version.ts'

export const OK = 0
export const FAILED = 1
export const NO_SUCH_COMMAND = 127

export interface Called {
  readonly program: Program
  /** The words that led to the program, e.g. `steeple server` or `spire-server`. */
  readonly title: string
}

/** @param args the words after the title */
export async function runProgram(
  { program: whole, title }: Called,
  args: readonly string[],
  session: Session,
): Promise<number> {
  const { terminal } = session
  const program = withFeatures(whole, terminal.env)
  const called = { program, title }
  const sought = findCommand(args, pathsOf(program))
  if (sought.wantsVersion) {
    terminal.complain(`${readVersion()}\n`)
    return OK
  }
  const path = sought.path.join(' ')
  const load = program.commands.get(path)?.load
  const isGroup = load === undefined
  if (isGroup && sought.wantsHelp && (path !== '' || sought.word === undefined)) {
    terminal.print(groupHelp(called, sought.path))
    return OK
  }
  if (path === '') {
    terminal.complain(unknownIn({ program: whole, title }, [], sought.word) + groupHelp(called, []))
    return NO_SUCH_COMMAND
  }
  const [next] = sought.args
  const goesOn = next !== undefined && !next.startsWith('-')
  if (isGroup || (goesOn && wordsAfter(program, sought.path).size > 0)) {
    terminal.complain(unknownIn(called, sought.path, next) + groupHelp(called, sought.path))
    return FAILED
  }
  const named = { title, path, command: await load(), errorPrefix: program.errorPrefix }
  if (sought.strayFlags.length > 0 && !sought.wantsHelp) {
    const stray = sought.strayFlags.join(' ')
    terminal.complain(`${stray} stands before the command, flags go after it\n`)
    terminal.complain(`\n${commandHelp(named)}`)
    return FAILED
  }
  return await runLoaded(named, { args: sought.args, wantsHelp: sought.wantsHelp, session })
}

interface Named {
  readonly title: string
  /** The words that lead to the command from there. */
  readonly path: string
  readonly command: AnyCommand
  readonly errorPrefix: string
}

interface Invocation {
  readonly args: readonly string[]
  readonly wantsHelp: boolean
  readonly session: Session
}

async function runLoaded(named: Named, { args, wantsHelp, session }: Invocation): Promise<number> {
  const { terminal } = session
  const { command, errorPrefix } = named
  if (wantsHelp) {
    terminal.print(commandHelp(named))
    return OK
  }
  let read: ReturnType<typeof readFlags>
  try {
    read = readFlags(command, args)
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    terminal.complain(`${error.message}\n\n${commandHelp(named)}`)
    return FAILED
  }
  const [stray] = read.rest
  if (stray !== undefined && command.words === undefined) {
    const what = read.rest.length === 1 ? 'is' : 'and all that follows are'
    terminal.complain(
      `Warning: ${JSON.stringify(stray)} ${what} ignored, flags begin with a dash\n`,
    )
  }
  try {
    return await command.run(read.values, session, read.rest)
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    terminal.complain(`${errorPrefix}${error.message}\n`)
    return FAILED
  }
}

/** What to say of a word that is no command of the program, nothing when there is no such word. */
function unknownIn(
  { program, title }: Called,
  path: readonly string[],
  word: string | undefined,
): string {
  if (word === undefined || word.startsWith('-')) return ''
  const name = [title, ...path].join(' ')
  return `${name} has no command ${JSON.stringify(word)}${hintFor(program, path, word)}\n\n`
}

function hintFor(program: Program, path: readonly string[], word: string): string {
  const full = [...path, word].join(' ')
  const feature = [...program.commands].find(
    ([command, entry]) => entry.feature !== undefined && `${command} `.startsWith(`${full} `),
  )?.[1].feature
  if (feature !== undefined) return ` unless ${FEATURES_VARIABLE} names the feature ${feature}`
  const meant = nearest(word, wordsAfter(program, path))
  if (meant !== undefined) return `, did you mean "${meant}"?`
  const owners = PROGRAMS.filter((other) => other !== program && pathsOf(other).has(full))
  if (program.upstream !== undefined || owners.length === 0) return ''
  return `, did you mean "steeple ${owners.map(({ name }) => `${name} ${full}`).join('" or "steeple ')}"?`
}
