/** The level of a running log: changed for it and for the children it has, and put back to what it was at the start. */
import { type Log, type LogLevel, PINO_LEVEL } from './open-log.ts'

export interface LevelSwitch {
  readonly launch: LogLevel
  current(): LogLevel
  set(level: LogLevel): void
}

/** Children are made when a process starts, one for each of its parts. */
const MAX_CHILDREN = 100

/** Call it before the log has children: pino gives each a level of its own. @param launch the level that `log` has */
export function createLevelSwitch(log: Log, launch: LogLevel): LevelSwitch {
  const logs = [log]
  log.onChild = (child: Log) => {
    if (logs.length > MAX_CHILDREN) throw new Error(`a log has more than ${MAX_CHILDREN} children`)
    logs.push(child)
  }
  let current = launch
  return {
    launch,
    current: () => current,
    set(level) {
      current = level
      for (const one of logs) one.level = PINO_LEVEL[level]
    },
  }
}
