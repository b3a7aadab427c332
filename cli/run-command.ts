/**
 * One command line from its words to its exit code. Every failure is told once, on standard error, in the words
 * and with the exit codes of spire-server and spire-agent; a bug shows its stack.
 */
import { nearest } from '../config/nearest.ts'
import { IdentityError } from '../spiffe/error.ts'
import { agentProgram } from './agent-program.ts'
import type { AnyCommand, Session } from './command.ts'
import { findCommand } from './find-command.ts'
import { commandHelp, groupHelp, rootHelp } from './help.ts'
import { type Program, pathsOf, wordsAfter } from './program.ts'
import { readFlags } from './read-flags.ts'
import { serverProgram } from './server-program.ts'
import { readVersion } from './version.ts'

const OK = 0
const FAILED = 1
const NO_SUCH_COMMAND = 127

const PROGRAMS: readonly Program[] = [serverProgram, agentProgram]
const DEV = 'Server, agent and Workload API in one process, on a temporary directory'

/** @param args the words after `steeple` */
export async function runCommand(args: readonly string[], session: Session): Promise<number> {
  const [word = '', ...rest] = args
  const program = PROGRAMS.find(({ name }) => name === word)
  if (program !== undefined) return await runOf(program, rest, session)
  if (word === 'dev') return await runDev(rest, session)
  const { terminal } = session
  if (['--version', '-version', '-v', 'version'].includes(word)) {
    terminal.print(`${readVersion()}\n`)
    return OK
  }
  const help = rootHelp(PROGRAMS, new Map([['dev', DEV]]))
  if (['--help', '-help', '-h', 'help'].includes(word)) {
    terminal.print(help)
    return OK
  }
  terminal.complain(word === '' ? help : `${unknownWord(args)}\n${help}`)
  return NO_SUCH_COMMAND
}

async function runDev(args: readonly string[], session: Session): Promise<number> {
  const { dev } = await import('./dev/dev.ts')
  const { wantsHelp } = findCommand(args, new Set())
  return await runLoaded(
    { name: 'steeple dev', command: dev, errorPrefix: 'Error: ' },
    {
      args,
      wantsHelp,
      session,
    },
  )
}

async function runOf(program: Program, args: readonly string[], session: Session): Promise<number> {
  const { terminal } = session
  const sought = findCommand(args, pathsOf(program))
  if (sought.wantsVersion) {
    terminal.complain(`${readVersion()}\n`)
    return OK
  }
  const path = sought.path.join(' ')
  const isGroup = !program.commands.has(path)
  if (isGroup && sought.wantsHelp && (path !== '' || sought.word === undefined)) {
    terminal.print(groupHelp(program, sought.path))
    return OK
  }
  if (path === '') {
    terminal.complain(unknownIn(program, [], sought.word) + groupHelp(program, []))
    return NO_SUCH_COMMAND
  }
  const [next] = sought.args
  const goesOn = next !== undefined && !next.startsWith('-')
  if (isGroup || (goesOn && wordsAfter(program, sought.path).size > 0)) {
    terminal.complain(unknownIn(program, sought.path, next) + groupHelp(program, sought.path))
    return FAILED
  }
  const load = program.commands.get(path)?.load
  if (load === undefined) {
    terminal.complain(`${program.errorPrefix}${program.name} ${path} is not implemented yet\n`)
    return FAILED
  }
  const named = {
    name: `steeple ${program.name} ${path}`,
    command: await load(),
    errorPrefix: program.errorPrefix,
  }
  if (sought.strayFlags.length > 0 && !sought.wantsHelp) {
    const stray = sought.strayFlags.join(' ')
    terminal.complain(`${stray} stands before the command, flags go after it\n`)
    terminal.complain(`\n${commandHelp(named.name, named.command)}`)
    return FAILED
  }
  return await runLoaded(named, { args: sought.args, wantsHelp: sought.wantsHelp, session })
}

interface Named {
  /** The words that lead to the command. */
  readonly name: string
  readonly command: AnyCommand
  readonly errorPrefix: string
}

interface Invocation {
  readonly args: readonly string[]
  readonly wantsHelp: boolean
  readonly session: Session
}

async function runLoaded(
  { name, command, errorPrefix }: Named,
  { args, wantsHelp, session }: Invocation,
): Promise<number> {
  const { terminal } = session
  if (wantsHelp) {
    terminal.print(commandHelp(name, command))
    return OK
  }
  let read: ReturnType<typeof readFlags>
  try {
    read = readFlags(command.flags, args)
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    terminal.complain(`${error.message}\n\n${commandHelp(name, command)}`)
    return FAILED
  }
  const [stray] = read.rest
  if (stray !== undefined) {
    const what = read.rest.length === 1 ? 'is' : 'and all that follows are'
    terminal.complain(
      `Warning: ${JSON.stringify(stray)} ${what} ignored, flags begin with a dash\n`,
    )
  }
  try {
    return await command.run(read.values, session)
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    terminal.complain(`${errorPrefix}${error.message}\n`)
    return FAILED
  }
}

/** What to say of a word that is no command of the program, nothing when there is no such word. */
function unknownIn(program: Program, path: readonly string[], word: string | undefined): string {
  if (word === undefined || word.startsWith('-')) return ''
  const name = [program.name, ...path].join(' ')
  const meant = nearest(word, wordsAfter(program, path).keys())
  const hint = meant === undefined ? '' : `, did you mean "${meant}"?`
  return `steeple ${name} has no command ${JSON.stringify(word)}${hint}\n\n`
}

/** Somebody who knows SPIRE may leave out the word that tells the two programs apart. */
function unknownWord(args: readonly string[]): string {
  const word = args[0] ?? ''
  const owners = PROGRAMS.filter((program) => findCommand(args, pathsOf(program)).path.length > 0)
  const meant = nearest(word, [...PROGRAMS.map(({ name }) => name), 'dev'])
  const guesses = owners.length > 0 ? owners.map(({ name }) => `${name} ${word}`) : [meant]
  const known = guesses.filter((guess) => guess !== undefined)
  const hint = known.length === 0 ? '' : `, did you mean "steeple ${known.join('" or "steeple ')}"?`
  return `steeple has no command ${JSON.stringify(word)}${hint}\n`
}
