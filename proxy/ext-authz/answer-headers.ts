/**
 * What of a provider's headers may go on. Framing, routing and pseudo headers are never taken from a provider: with them it
 * could make one request into two, or into another than the one that policy saw. A line that would break a head apart is
 * a reason to distrust the whole answer.
 */
import type { HeadEdits, HeaderLine } from '../http/exchange.ts'
import { areWritable } from '../http/writable-edits.ts'

const FRAMING: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** @param name in lower case */
export const mayGoOn = (name: string): boolean => !name.startsWith(':') && !FRAMING.has(name)

/** Undefined when a line cannot be written. */
export function checkedLines(lines: readonly HeaderLine[]): readonly HeaderLine[] | undefined {
  const kept = lines
    .map(([name, value]): HeaderLine => [name.toLowerCase(), value])
    .filter(([name]) => mayGoOn(name))
  return areWritable({ path: undefined, remove: [], add: kept }) ? kept : undefined
}

/** The lines in the place of those that the request has under the same names. */
export const replacing = (lines: readonly HeaderLine[]): HeadEdits => ({
  path: undefined,
  remove: [...new Set(lines.map(([name]) => name))],
  add: lines,
})
