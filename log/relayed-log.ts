/**
 * The log of a worker: its lines go to the thread that has the log of the process, which writes them with its own level, form and
 * file. Never given key material, tokens or secrets, as any other log.
 */
import { pino } from 'pino'
import type { Log } from './open-log.ts'

/** @param level pino's; what is below it is not sent. @param send takes one line of JSON */
export function openRelayedLog(level: string, send: (line: string) => void): Log {
  return pino(
    {
      ...{ level, base: null, timestamp: false },
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: pino.stdSerializers.err },
    },
    { write: send },
  )
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const

/** Takes the lines of an `openRelayedLog`. @param fields which worker it is; no line can say otherwise */
export function openRelay(
  log: Log,
  fields: Readonly<Record<string, unknown>>,
): (line: string) => void {
  // Errors have been put into words where they happened.
  const target = log.child({}, { serializers: { err: (err: unknown) => err } })
  return (line) => {
    // Cast: pino wrote it, in this very process.
    const { level, msg, ...rest } = JSON.parse(line) as Record<string, unknown>
    const name = LEVELS.find((one) => one === level) ?? 'error'
    target[name]({ ...rest, ...fields }, typeof msg === 'string' ? msg : '')
  }
}
