/** How much one proxy may ask for. Envoy asks for one name on each stream; Istio's proxies for two. */
import { IdentityError } from '../../spiffe/error.ts'

/** Names of one request, and names that one stream may want at the same time. */
export const MAX_NAMES = 1_024
/** As long as a SPIFFE ID may be. */
export const MAX_NAME_BYTES = 2_048
/** Of all names that one stream wants: a process may hold a thousand streams, and this agent holds what they want. */
export const MAX_NAMES_BYTES = 64 * 1024
/** Names that an error or a line of the log shows, and the length of each. */
const MAX_SHOWN = 20
const MAX_SHOWN_LENGTH = 256

/** @throws IdentityError REQUEST_INVALID */
export function checkNames(names: readonly string[]): void {
  if (names.length > MAX_NAMES) {
    throw invalid(`${names.length} resource names were given, at most ${MAX_NAMES} are allowed`)
  }
  let all = 0
  for (const name of names) {
    const bytes = Buffer.byteLength(name)
    if (bytes > MAX_NAME_BYTES) {
      throw invalid(`a resource name has ${bytes} bytes, at most ${MAX_NAME_BYTES} are allowed`)
    }
    all += bytes
  }
  if (all > MAX_NAMES_BYTES) {
    throw invalid(`the resource names have ${all} bytes, at most ${MAX_NAMES_BYTES} are allowed`)
  }
}

/** It is told back as it came, with each answer. @throws IdentityError REQUEST_INVALID */
export function checkTypeUrl(typeUrl: string): void {
  const bytes = Buffer.byteLength(typeUrl)
  if (bytes <= MAX_NAME_BYTES) return
  throw invalid(`the type URL has ${bytes} bytes, at most ${MAX_NAME_BYTES} are allowed`)
}

/** Names as SPIRE writes them in an error; of very many only some, of very long ones only the beginning. */
export function showNames(names: readonly string[]): string {
  const some = names
    .slice(0, MAX_SHOWN)
    .map((name) => JSON.stringify(name.slice(0, MAX_SHOWN_LENGTH)))
  const more = names.length > MAX_SHOWN ? ` and ${names.length - MAX_SHOWN} more` : ''
  return `[${some.join(' ')}${more}]`
}

function invalid(message: string): IdentityError {
  return new IdentityError('REQUEST_INVALID', message)
}
