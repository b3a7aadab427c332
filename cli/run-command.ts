/**
 * One command line of `steeple` from its words to its exit code: the first word tells the program, as if it had
 * been started by itself, or is a command of its own.
 */
import { nearest } from '../config/nearest.ts'
import type { Session } from './command.ts'
import { findCommand } from './find-command.ts'
import { rootHelp } from './help.ts'
import { pathsOf, wordsAfter } from './program.ts'
import { PROGRAMS } from './programs.ts'
import { rootProgram } from './root-program.ts'
import { NO_SUCH_COMMAND, OK, runProgram } from './run-program.ts'
import { readVersion } from './version.ts'

/** @param args the words after `steeple` */
export async function runCommand(args: readonly string[], session: Session): Promise<number> {
  const [word = '', ...rest] = args
  const program = PROGRAMS.find(({ name }) => name === word)
  if (program !== undefined) {
    return await runProgram({ program, title: `steeple ${word}` }, rest, session)
  }
  const { terminal } = session
  if (['--version', '-version', '-v', 'version'].includes(word)) {
    terminal.print(`${readVersion()}\n`)
    return OK
  }
  if (['--help', '-help', '-h', 'help'].includes(word)) {
    terminal.print(rootHelp(PROGRAMS, rootProgram))
    return OK
  }
  if (wordsAfter(rootProgram, []).has(word)) {
    return await runProgram({ program: rootProgram, title: 'steeple' }, args, session)
  }
  const unknown = word === '' ? '' : `${unknownWord(args)}\n`
  terminal.complain(unknown + rootHelp(PROGRAMS, rootProgram))
  return NO_SUCH_COMMAND
}

/** Somebody who knows SPIRE may leave out the word that tells the two programs apart. */
function unknownWord(args: readonly string[]): string {
  const word = args[0] ?? ''
  const owners = PROGRAMS.filter((program) => findCommand(args, pathsOf(program)).path.length > 0)
  const own = [...PROGRAMS.map(({ name }) => name), ...wordsAfter(rootProgram, [])]
  const meant = nearest(word, own)
  const guesses = owners.length > 0 ? owners.map(({ name }) => `${name} ${word}`) : [meant]
  const known = guesses.filter((guess) => guess !== undefined)
  const hint = known.length === 0 ? '' : `, did you mean "steeple ${known.join('" or "steeple ')}"?`
  return `steeple has no command ${JSON.stringify(word)}${hint}\n`
}
