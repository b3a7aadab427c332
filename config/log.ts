/** The logging keys, which the server and the agent share, and what is read from them. */
import { optional, type Read, withDefault } from './check.ts'
import { choice, text, truth } from './value.ts'

const LEVELS = ['PANIC', 'FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE'] as const

/** SPIRE's names, as its logger API shows them. */
export type LogLevel = (typeof LEVELS)[number]

export interface LogConfig {
  readonly level: LogLevel
  readonly format: 'text' | 'json'
  /** Undefined: standard output. */
  readonly file: string | undefined
  /** Whether each line says which one of the program wrote it. */
  readonly hasSource: boolean
}

export const logKeys = {
  log_file: optional(text('a path'), 'file to write logs to; standard output when left out'),
  log_level: withDefault(
    choice(LEVELS, { warning: 'WARN' }),
    'INFO',
    'least severe level that is logged',
  ),
  log_format: withDefault(choice(['text', 'json']), 'text', 'form of a log line'),
  log_source_location: withDefault(truth(), 'false', 'file and line in each log line'),
}

export function logConfig(read: Read<typeof logKeys>): LogConfig {
  return {
    level: read.log_level,
    format: read.log_format,
    file: read.log_file,
    hasSource: read.log_source_location,
  }
}
