/** A log that keeps its lines, for tests that read what an operator would read. */
import { pino } from 'pino'
import type { Log } from '../../log/open-log.ts'

export interface LogLine {
  readonly msg: string
  readonly [field: string]: unknown
}

export function memoryLog(): { readonly log: Log; readonly lines: LogLine[] } {
  const lines: LogLine[] = []
  const log = pino(
    {
      level: 'debug',
      base: null,
      formatters: { level: (level) => ({ level }) },
      serializers: { err: pino.stdSerializers.err },
    },
    { write: (line: string) => lines.push(JSON.parse(line)) },
  )
  return { log, lines }
}
