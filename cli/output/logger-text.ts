/** The level of a log for people, by the names that log lines have: the protocol's WARN is `warning`. */
import type { Logger } from '../../proto/gen/spire/api/types/Logger.ts'

/** Ends with an empty line. */
export function loggerText({ current_level, launch_level }: Logger): string {
  return `Logger Level : ${name(current_level)}\nLaunch Level : ${name(launch_level)}\n\n`
}

function name(level: Logger['current_level']): string {
  return level === 'WARN' ? 'warning' : level.toLowerCase()
}
