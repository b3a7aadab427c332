/** Runs a command line in this process and hears what it prints. */
import { runCommand } from '../../cli/run-command.ts'
import type { Terminal } from '../../cli/terminal.ts'
import { systemClock } from '../../spiffe/clock.ts'

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>
  /** What is on standard input. */
  readonly input?: string
}

/** @param line words after `steeple`, apart by spaces, or a list of them */
export async function run(
  line: string | readonly string[],
  { env = {}, input = '' }: Surroundings = {},
): Promise<Ran> {
  let out = ''
  let err = ''
  const terminal: Terminal = {
    env,
    print: (text) => {
      out += text
    },
    complain: (text) => {
      err += text
    },
    readInput: async () => input,
  }
  const words = typeof line === 'string' ? line.split(' ').filter((word) => word !== '') : line
  const code = await runCommand(words, { terminal, clock: systemClock })
  return { code, out, err }
}

/** What was said before the page of usage that follows a wrong flag. */
export function beforeUsage({ err }: Ran): string {
  return err.slice(0, err.indexOf('\nUsage: ')).trimEnd()
}
