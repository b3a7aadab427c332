/** The `steeple` command: hands its words to `runCommand` and its exit code to the system. */
import { systemClock } from '../spiffe/clock.ts'
import { runCommand } from './run-command.ts'
import { processTerminal } from './terminal.ts'

process.exitCode = await runCommand(process.argv.slice(2), {
  terminal: processTerminal,
  clock: systemClock,
})
