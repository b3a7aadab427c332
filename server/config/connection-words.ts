/**
 * A connection string of PostgreSQL taken apart, in both of libpq's forms: `key=value …` with quotes, and the
 * URI. What the words mean is the business of `postgres-target.ts`.
 *
 * @see https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-CONNSTRING
 */
import { IdentityError } from '../../spiffe/error.ts'

/** The last word of a name counts, as in libpq. */
export type Words = ReadonlyMap<string, string>

/** libpq has about forty names. */
const MAX_WORDS = 100

/** @throws IdentityError CONFIG_INVALID; the message never shows any of it, for it may hold a password */
export function splitConnectionString(text: string): Words {
  const words = /^postgres(?:ql)?:\/\//.test(text) ? splitUri(text) : splitPairs(text)
  if (words.length > MAX_WORDS) refuse(`has more than ${MAX_WORDS} settings`)
  if (words.some(([, value]) => value.includes('\0'))) refuse('has a zero byte')
  return new Map(words)
}

export function refuse(why: string): never {
  throw new IdentityError('CONFIG_INVALID', `connection_string ${why}`)
}

type Word = readonly [name: string, value: string]

/** A name, `=` with or without spaces around it, and a value: quoted, or up to the next space. */
const PAIR =
  /\s*([A-Za-z_][A-Za-z_0-9]*)\s*=\s*(?:'((?:[^'\\]|\\.)*)'(?=\s|$)|((?:[^\s'\\]|\\.)(?:[^\s\\]|\\.)*|(?=\s|$)))/sy

function splitPairs(text: string): Word[] {
  const words: Word[] = []
  const trimmed = text.trimEnd()
  PAIR.lastIndex = 0
  while (PAIR.lastIndex < trimmed.length) {
    const match = PAIR.exec(trimmed)
    if (match === null) {
      refuse(
        `cannot be read after its setting number ${words.length}: write name=value, and quote values with spaces or quotes as 'it\\'s'`,
      )
    }
    const [, name = '', quoted, bare] = match
    words.push([name, (quoted ?? bare ?? '').replace(/\\(.)/gs, '$1')])
  }
  return words
}

const URI = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^@/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/

function splitUri(text: string): Word[] {
  const match = URI.exec(text)
  if (match === null) {
    refuse(
      'is no URI: write postgres://user:password@host:port/database?name=value, with %40 for @ in a password, %2F for / and so on',
    )
  }
  const [, login, places = '', database = '', query = ''] = match
  const words: Word[] = []
  const add = (name: string, value: string | undefined) => {
    if (value !== undefined && value !== '') words.push([name, decode(value)])
  }
  const colon = login?.indexOf(':') ?? -1
  add('user', colon < 0 ? login : login?.slice(0, colon))
  add('password', colon < 0 ? undefined : login?.slice(colon + 1))
  const hosts = places.split(',').map(splitPlace)
  add('host', hosts.map(({ host }) => host).join(','))
  if (hosts.some(({ port }) => port !== '')) add('port', hosts.map(({ port }) => port).join(','))
  add('dbname', database)
  for (const setting of query === '' ? [] : query.split('&')) {
    const at = setting.indexOf('=')
    if (at < 1) refuse('has a setting without = behind its ?')
    const [name, value] = [decode(setting.slice(0, at)), decode(setting.slice(at + 1))]
    // As JDBC writes it; libpq reads it too.
    words.push(name === 'ssl' && value === 'true' ? ['sslmode', 'require'] : [name, value])
  }
  return words
}

/** Brackets are for IPv6 alone. */
const PLACE = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^:[\]]*))(?::(\d*))?$/

function splitPlace(place: string): { readonly host: string; readonly port: string } {
  const match = PLACE.exec(place)
  if (match === null) refuse('has a host that is no name, no address and no [IPv6 address]')
  const [, ipv6, name = '', port = ''] = match
  return { host: ipv6 ?? name, port }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return refuse('has a wrong % escape')
  }
}
