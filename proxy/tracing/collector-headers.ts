/**
 * Headers that a collector asks for, such as a token: lines of a file, so that no secret stands in the configuration. The file
 * is read before each request, so that a token can be changed without a restart. Its values appear in no message.
 */
import { readFile } from 'node:fs/promises'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { HeaderLine } from '../http/exchange.ts'
import { isReserved } from '../http/reserved-names.ts'
import { areWritable } from '../http/writable-edits.ts'

const MAX_FILE_BYTES = 16 * 1024

/** @param path undefined: there are none. @throws IdentityError CONFIG_INVALID naming the line that is wrong, without its text */
export async function readCollectorHeaders(
  path: string | undefined,
): Promise<readonly HeaderLine[]> {
  if (path === undefined) return []
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (error) {
    throw invalid(path, `cannot be read: ${reasonOf(error)}`, error)
  }
  if (bytes.length > MAX_FILE_BYTES) {
    throw invalid(path, `has ${bytes.length} bytes (expected at most ${MAX_FILE_BYTES})`)
  }
  return parseCollectorHeaders(bytes.toString('utf8'), path)
}

/** One `name: value` on each line; empty lines and those that begin with # say nothing. @throws as `readCollectorHeaders` */
export function parseCollectorHeaders(text: string, path: string): readonly HeaderLine[] {
  return text.split('\n').flatMap((line, index): readonly HeaderLine[] => {
    if (line.trim() === '' || line.startsWith('#')) return []
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(colon, 0)).trim().toLowerCase()
    const header: HeaderLine = [name, line.slice(colon + 1).trim()]
    if (!areWritable({ path: undefined, remove: [], add: [header] }) || !isAscii(header[1])) {
      throw invalid(path, `line ${index + 1} is no header (expected name: value in ASCII)`)
    }
    if (name !== 'authorization' && (isReserved(name) || name.startsWith('content-'))) {
      throw invalid(path, `line ${index + 1} sets ${name}, which the exporter writes itself`)
    }
    return [header]
  })
}

const isAscii = (text: string) => /^[\t\x20-\x7e]*$/.test(text)

function invalid(path: string, why: string, cause?: unknown): IdentityError {
  const message = `proxy.tracing.headers_file ${JSON.stringify(path)} ${why}`
  return new IdentityError('CONFIG_INVALID', message, { cause })
}
