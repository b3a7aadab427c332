/**
 * The `steeple` command: hands its words to `runCommand` and its exit code to the system. Started under the name of
 * spire-server or spire-agent, it is that program.
 */
import { systemClock } from '../spiffe/clock.ts'
import { programCalled } from './programs.ts'
import { runCommand } from './run-command.ts'
import { runProgram } from './run-program.ts'
import { processTerminal } from './terminal.ts'

const words = process.argv.slice(2)
const session = { terminal: processTerminal, clock: systemClock }
// The launcher says by which name it was started: the kernel tells Node only of itself.
const title = process.env.STEEPLE_CALLED_AS ?? ''
const program = programCalled(title)

process.exitCode =
  program === undefined
    ? await runCommand(words, session)
    : await runProgram({ program, title }, words, session)
