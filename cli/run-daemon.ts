/**
 * Runs a server or an agent in the foreground until a signal stops it. Why it could not start or go on is said
 * once, in plain words, and also in the log file if there is one.
 */
import type { LogConfig } from '../config/log.ts'
import { type Log, openLog } from '../log/open-log.ts'
import { IdentityError } from '../spiffe/error.ts'
import { toFileError } from './output/file-error.ts'
import { stopOnSignals } from './stop-on-signals.ts'

/** What others may not have on the files that a daemon makes; what must be open is opened by name. */
const UMASK = 0o027

export interface DaemonDeps {
  readonly log: Log
  readonly signal: AbortSignal
}

/** @throws IdentityError saying why it cannot run */
export async function runDaemon(
  logConfig: LogConfig,
  run: (deps: DaemonDeps) => Promise<void>,
): Promise<number> {
  process.umask(process.umask() | UMASK)
  using opened = open(logConfig)
  using stop = stopOnSignals()
  // As SPIRE: after a log file was moved away.
  process.on('SIGUSR2', opened.reopen)
  try {
    await run({ log: opened.log, signal: stop.signal })
    return 0
  } catch (error) {
    const isFile = logConfig.file !== undefined
    if (isFile && error instanceof IdentityError) opened.log.error({ err: error }, 'Stopped')
    throw error
  } finally {
    process.off('SIGUSR2', opened.reopen)
  }
}

function open(config: LogConfig): ReturnType<typeof openLog> {
  try {
    return openLog(config)
  } catch (error) {
    throw toFileError(error, config.file ?? '')
  }
}
