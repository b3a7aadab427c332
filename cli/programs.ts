/** Which programs there are, and under which names ours may be started. */
import { agentProgram } from './agent-program.ts'
import { oidcProgram } from './oidc-program.ts'
import type { Program } from './program.ts'
import { proxyProgram } from './proxy-program.ts'
import { serverProgram } from './server-program.ts'

export const PROGRAMS: readonly Program[] = [serverProgram, agentProgram, oidcProgram, proxyProgram]

/** @param name of the file that was started, e.g. of a symbolic link `spire-server` to `steeple` */
export function programCalled(name: string | undefined): Program | undefined {
  return name === undefined ? undefined : PROGRAMS.find(({ upstream }) => upstream === name)
}
