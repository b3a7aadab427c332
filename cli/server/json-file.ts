/**
 * JSON that an operator wrote, from a file or from standard input. A file that ends too early is refused in the
 * words of SPIRE, any other mistake with the place where it is.
 */
import { parseJson as parseWithPlaces } from '../../config/json.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { Terminal } from '../terminal.ts'
import { readInputFile, STDIN } from './input-file.ts'

/** @throws IdentityError REQUEST_INVALID */
export async function readJsonFile(path: string, terminal: Terminal): Promise<unknown> {
  return parseJson(await readInputFile(path, terminal), path)
}

/** @param path named in what is refused @throws IdentityError REQUEST_INVALID */
export function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const reason = reasonOf(cause)
    const position = /at position (\d+)/.exec(reason)?.[1]
    const isCutOff = position === undefined || Number(position) >= text.trimEnd().length
    if (isCutOff && /^(Unexpected end|Unterminated|Expected|Bad)/.test(reason)) {
      throw new IdentityError('REQUEST_INVALID', 'unexpected end of JSON input', { cause })
    }
    const name = path === STDIN ? 'standard input' : path
    parseWithPlaces(name, text) // says where it is wrong
    throw new IdentityError('REQUEST_INVALID', `${name} is not JSON: ${reason}`, { cause })
  }
}
