/**
 * Looks over the keys that a RequestAuthentication holds in itself: whether they can be read at all, and whether a
 * secret lies among them. Verification reads them again, with its own library.
 *
 * @see RFC 7517 §4, RFC 7518 §6 — the parameters of each kind of key
 */
import { fault, isAbsent, type Reading, shown, warn } from './read-object.ts'

/** What a public key of each type needs. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  RSA: ['n', 'e'],
  EC: ['crv', 'x', 'y'],
  OKP: ['crv', 'x'],
  oct: ['k'],
}

/** The values are never repeated: one of them may be a secret. */
export function readInlineKeys(reading: Reading, text: string): void {
  const document = parseJson(text)
  const keys = document !== undefined && 'keys' in document ? document.keys : [document]
  if (document === undefined) fault(reading, 'expected a JSON object with keys, found no JSON')
  else if (!Array.isArray(keys)) fault(reading, `expected a list in keys, found ${shown(keys)}`)
  else for (const [index, key] of keys.entries()) readKey(reading, key, index)
}

function readKey(reading: Reading, key: unknown, index: number): void {
  const fields = typeof key === 'object' && key !== null ? (key as Record<string, unknown>) : {}
  const needed = NEEDED[String(fields.kty)]
  const missing = (needed ?? []).filter(
    (name) => typeof fields[name] !== 'string' || fields[name] === '',
  )
  if (needed === undefined) {
    fault(reading, `key ${index}: expected a kty of ${Object.keys(NEEDED).join(', ')}`)
  } else if (missing.length > 0) {
    fault(reading, `key ${index} of kty ${String(fields.kty)} lacks ${missing.join(', ')}`)
  } else if (fields.kty === 'oct' || !isAbsent(fields.d)) {
    warn(reading, `key ${index} is a secret; publish public keys alone and replace this one`)
  }
}

function parseJson(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
