/** `spire.api.server.logger.v1.Logger`, on the admin socket only: the level of the running log, read and changed. */
import type { LevelSwitch } from '../../../log/level-switch.ts'
import type { LogLevel } from '../../../log/open-log.ts'
import type { LoggerHandlers } from '../../../proto/gen/spire/api/server/logger/v1/Logger.ts'
import type { LogLevel as WireLevel } from '../../../proto/gen/spire/api/types/LogLevel.ts'
import type { Implementation } from '../../../proto/serve.ts'
import type { Caller } from '../../listen/caller.ts'
import { invalid } from '../refusal.ts'

export interface LoggerServiceDeps {
  readonly logLevel: LevelSwitch
}

export function loggerService({
  logLevel,
}: LoggerServiceDeps): Implementation<Caller, LoggerHandlers> {
  const state = () => ({ current_level: logLevel.current(), launch_level: logLevel.launch })
  return {
    GetLogger: async () => state(),
    async SetLogLevel({ new_level }) {
      logLevel.set(fromWireLevel(new_level))
      return state()
    },
    async ResetLogLevel() {
      logLevel.set(logLevel.launch)
      return state()
    },
  }
}

const LEVELS: readonly LogLevel[] = ['PANIC', 'FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE']

function fromWireLevel(wire: WireLevel): LogLevel {
  if (wire === 'UNSPECIFIED') throw invalid('newLevel value cannot be LogLevel_UNSPECIFIED')
  // A number that is no level of ours arrives as itself.
  const level = LEVELS.find((one) => one === wire)
  if (level === undefined) throw invalid('unsupported log level')
  return level
}
