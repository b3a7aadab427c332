/** Says whether a configuration can be used, and everything that is wrong with it if not. */
import { IdentityError } from '../../spiffe/error.ts'
import type { Terminal } from '../terminal.ts'

/** @returns the exit code */
export function checkConfig(
  whose: string,
  terminal: Terminal,
  load: () => { readonly warnings: readonly string[] },
): number {
  const file = `SPIRE ${whose} configuration file`
  try {
    const { warnings } = load()
    for (const warning of warnings) terminal.complain(`Warning: ${warning}\n`)
    terminal.print(`${file} is valid.\n`)
    return 0
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    const gap = error.message.includes('\n') ? '\n' : ' '
    terminal.complain(`${file} is invalid:${gap}${error.message}\n`)
    return 1
  }
}
