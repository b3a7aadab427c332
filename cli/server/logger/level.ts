/** The words by which a command names a log level, in any case. */
import type { LogLevel } from '../../../proto/gen/spire/api/types/LogLevel.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { quote } from '../../output/go-quote.ts'

const LEVELS: ReadonlyMap<string, LogLevel> = new Map([
  ['panic', 'PANIC'],
  ['fatal', 'FATAL'],
  ['error', 'ERROR'],
  ['warn', 'WARN'],
  ['warning', 'WARN'],
  ['info', 'INFO'],
  ['debug', 'DEBUG'],
  ['trace', 'TRACE'],
])

export const LEVEL_WORDS: readonly string[] = [...LEVELS.keys()]

/** @throws IdentityError REQUEST_INVALID */
export function readLevel(word: string): LogLevel {
  if (word === '') throw new IdentityError('REQUEST_INVALID', 'a value (-level) must be set')
  const level = LEVELS.get(word.toLowerCase())
  if (level !== undefined) return level
  throw new IdentityError('REQUEST_INVALID', `the value ${quote(word)} is not a valid setting`)
}
