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
  /** Calls `listener` each time that the process is told to read again what may change while it runs. */
  onReload(listener: () => void): void
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
  const listeners: (() => void)[] = []
  const reload = () => {
    for (const listener of listeners) listener()
  }
  // As SPIRE. Without a listener of ours Node would open its debugger, to anybody on this machine.
  process.on('SIGUSR1', reload)
  try {
    const onReload = (listener: () => void) => void listeners.push(listener)
    await run({ log: opened.log, signal: stop.signal, onReload })
    return 0
  } catch (error) {
    const isFile = logConfig.file !== undefined
    if (isFile && error instanceof IdentityError) opened.log.error({ err: error }, 'Stopped')
    throw error
  } finally {
    process.off('SIGUSR2', opened.reopen)
    process.off('SIGUSR1', reload)
  }
}

function open(config: LogConfig): ReturnType<typeof openLog> {
  try {
    return openLog(config)
  } catch (error) {
    throw toFileError(error, config.file ?? '')
  }
}
