/**
 * SPIRE's connection string of a SQLite database, read into a path: a plain path or a `file:` URI.
 * Options that would change what the store guarantees are refused by name.
 *
 * @see https://www.sqlite.org/uri.html
 */
import { IdentityError } from '../../spiffe/error.ts'

/** The path that opens a database in memory, which is gone when the server stops. */
export const IN_MEMORY = ':memory:'

/** Options that ask for what the store does anyway, with the values that mean it. */
const GRANTED: Readonly<Record<string, readonly string[]>> = {
  _foreign_keys: ['on', 'true', 'yes', '1'],
  _fk: ['on', 'true', 'yes', '1'],
  _journal: ['wal'],
  _journal_mode: ['wal'],
  _sync: ['full', '2'],
  _synchronous: ['full', '2'],
  cache: ['private', 'shared'],
  mode: ['rwc', 'memory'],
}

/**
 * @throws IdentityError CONFIG_INVALID; the message never shows the string, which for other
 *   databases holds a password
 */
export function parseSqlitePath(connectionString: string): string {
  const refuse = (why: string): never => {
    throw new IdentityError('CONFIG_INVALID', `connection_string ${why}`)
  }
  const [address = '', query = '', ...rest] = connectionString.split('?')
  if (rest.length > 0) refuse('has more than one ?')
  if (connectionString.includes('#')) refuse('has a fragment')
  const uri = /^file:(?:\/\/(?:localhost)?(?=\/))?(?!\/\/)/.exec(address)
  if (uri === null && address !== IN_MEMORY && /^[a-z][a-z0-9+.-]*:/i.test(address)) {
    refuse('is no path and no file: URI')
  }
  const path = decode(address.slice(uri?.[0].length ?? 0)) ?? refuse('has a wrong % escape')
  let inMemory = path === IN_MEMORY
  for (const [name, value] of new URLSearchParams(query)) {
    const granted = Object.hasOwn(GRANTED, name) ? GRANTED[name] : undefined
    if (granted === undefined)
      return refuse(`has the option ${JSON.stringify(name)}, which is not offered`)
    if (!granted.includes(value.toLowerCase())) {
      refuse(`sets ${name} to another value than ${granted.join(' or ')}`)
    }
    if (name === 'mode' && value.toLowerCase() === 'memory') inMemory = true
  }
  if (inMemory) return IN_MEMORY
  return path === '' || path.includes('\0') ? refuse('names no file') : path
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
