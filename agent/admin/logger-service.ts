/** `spire.api.agent.logger.v1.Logger`, on the admin socket only: the level of the running log, read and changed. */
import type { LevelSwitch } from '../../log/level-switch.ts'
import type { LogLevel } from '../../log/open-log.ts'
import type { LoggerHandlers } from '../../proto/gen/spire/api/agent/logger/v1/Logger.ts'
import type { LogLevel as WireLevel } from '../../proto/gen/spire/api/types/LogLevel.ts'
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import type { Implementation } from '../../proto/serve.ts'
import { IdentityError } from '../../spiffe/error.ts'

export function loggerService(logLevel: LevelSwitch): Implementation<UnixCaller, LoggerHandlers> {
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

/** @throws IdentityError REQUEST_INVALID in the words of SPIRE */
function fromWireLevel(wire: WireLevel): LogLevel {
  const refuse = (why: string) => new IdentityError('REQUEST_INVALID', why)
  if (wire === 'UNSPECIFIED') throw refuse('newLevel value cannot be LogLevel_UNSPECIFIED')
  // A number that is no level of ours arrives as itself.
  const level = LEVELS.find((one) => one === wire)
  if (level === undefined) throw refuse('unsupported log level')
  return level
}
