/**
 * The log of a process: pino, written as JSON or as `key=value` text, with the field names and level names
 * that SPIRE's logs have, so that existing collectors read ours. Never given key material, tokens or secrets.
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import { type Logger, pino } from 'pino'
import { gatherLines } from './gather-lines.ts'
import { sourceLocation } from './source-location.ts'

export type LogLevel = 'PANIC' | 'FATAL' | 'ERROR' | 'WARN' | 'INFO' | 'DEBUG' | 'TRACE'
export type LogFormat = 'text' | 'json'

export interface LogOptions {
  readonly level: LogLevel
  readonly format: LogFormat
  /** Appended to, made with mode 0640; standard output when undefined. */
  readonly file: string | undefined
  /** Whether each line says which one of the program wrote it. */
  readonly hasSource?: boolean
}

export type Log = Logger

/** SPIRE's name of a level → pino's. */
export const PINO_LEVEL = {
  PANIC: 'fatal',
  FATAL: 'fatal',
  ERROR: 'error',
  WARN: 'warn',
  INFO: 'info',
  DEBUG: 'debug',
  TRACE: 'trace',
} as const satisfies Record<LogLevel, string>

export interface OpenedLog extends Disposable {
  readonly log: Log
  /** Opens the file anew, for whoever has moved the old one away. One that cannot be opened changes nothing. */
  reopen(): void
}

const MODE = 0o640
/** pino's number for it; TRACE has a lower one. */
const DEBUG = 20

/** @throws the file system's error when the log file cannot be opened */
export function openLog({ level, format, file, hasSource = false }: LogOptions): OpenedLog {
  let fd = file === undefined ? process.stdout.fd : openSync(file, 'a', MODE)
  const lines = gatherLines((text) => writeLines(fd, text))
  process.on('exit', lines.flush) // what a defect ended is told up to its last line
  const destination = {
    [pino.symbols.needsMetadataGsym]: true,
    /** pino's number for the level of the line that it writes. */
    lastLevel: 0,
    write(line: string) {
      lines.add(format === 'json' ? line : toText(line), destination.lastLevel <= DEBUG)
    },
  }
  const log = pino(
    {
      level: PINO_LEVEL[level],
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label === 'warn' ? 'warning' : label }) },
      serializers: { err: pino.stdSerializers.err },
      ...(hasSource ? { mixin: sourceLocation } : {}),
    },
    destination,
  )
  return {
    log,
    reopen() {
      if (file === undefined) return
      lines.flush()
      const before = fd
      try {
        fd = openSync(file, 'a', MODE)
      } catch (err) {
        log.error({ err }, 'The log file could not be opened anew; the old one is written on')
        return
      }
      closeSync(before)
    },
    [Symbol.dispose]() {
      process.off('exit', lines.flush)
      lines.flush()
      if (file !== undefined) closeSync(fd)
    },
  }
}

/** `time="…" level=info msg="…" key=value …`, as logrus prints it. */
function toText(line: string): string {
  // Cast: the line was written by pino one call ago.
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${quote(flatten(value))}`)
  return `${[`time=${quote(time)}`, `level=${level}`, `msg=${quote(msg ?? '')}`, ...rest].join(' ')}\n`
}

function flatten(value: unknown): unknown {
  const isError = typeof value === 'object' && value !== null && 'message' in value
  return isError ? value.message : value
}

function quote(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  return /^[A-Za-z0-9._/@^+:-]+$/.test(text) && !text.includes(':') ? text : JSON.stringify(text)
}

/** A full pipe or a closed terminal must not take the process down with it. */
function writeLines(fd: number, lines: string): void {
  try {
    writeSync(fd, lines)
  } catch {
    // nowhere left to say it
  }
}
