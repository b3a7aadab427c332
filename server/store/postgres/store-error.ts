/**
 * What goes wrong between us and PostgreSQL, told as IdentityError UNAVAILABLE: what was seen and what to
 * do. Any other failure of a statement is a bug and stays what it is. No message holds a password.
 *
 * @see https://www.postgresql.org/docs/15/errcodes-appendix.html
 */
import { DatabaseError } from 'pg'
import { IdentityError, reasonOf } from '../../../spiffe/error.ts'

/** A connection that was lost while something ran on it: nobody knows here whether that took effect. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}

/** SQLSTATE → what to do. A class of two characters stands for its states without a line of their own. */
const ADVICE: Readonly<Record<string, string>> = {
  '08': 'look at the network between here and the database',
  '28': 'look at the user in connection_string and at pg_hba.conf of the database',
  '28P01': 'put the right user and password into connection_string',
  '3D000': 'create it, or name another with dbname= in connection_string',
  '3F000': 'create it, or name another with search_path in connection_string',
  '25006': 'it is a standby or read-only: name the primary in connection_string',
  '26000':
    'a connection pooler between here and the database must keep a session for each connection',
  '42501': 'grant this user what it lacks; the tables are to be its own',
  '40001': 'other servers write the same: try again',
  '40P01': 'other servers write the same: try again',
  '53': 'the database lacks something: look at its log',
  '53100': 'make room on its disk',
  '53300': 'raise max_connections of the database, or lower max_open_conns',
  '55P03': 'somebody else holds a lock: try again',
  '57': 'try again',
  '57014': 'it took too long: look at what else the database does',
  '57P01': 'it is being shut down or somebody ended the connection: try again',
  '57P03': 'it is starting or shutting down: try again',
  '57P05': 'try again',
  '25P03': 'this server was held up in the middle of a transaction: try again',
  '58': 'look at the log of the database',
  XX: 'look at the log of the database',
}

/** The embedded store takes a NUL character in a text; PostgreSQL never does, in any encoding. */
const NOT_TEXT = '22021'

/** What the system or the driver says when a connection cannot be made or is lost. */
const NO_CONNECTION: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: start PostgreSQL, or correct host and port',
  ENOENT: 'there is no such socket: start PostgreSQL, or correct host and port',
  ENOTFOUND: 'the name is unknown: correct host',
  EAI_AGAIN: 'the name cannot be looked up now: look at DNS',
  EACCES: 'this account may not use the socket',
  ECONNRESET: 'the connection was cut: try again',
  EPIPE: 'the connection was cut: try again',
  ETIMEDOUT: 'nothing answers there: look at the network',
  EHOSTUNREACH: 'nothing answers there: look at the network',
  ENETUNREACH: 'nothing answers there: look at the network',
}

/** @param where host, port and name of the database: nothing secret */
export function toStoreError(error: unknown, where: string): unknown {
  if (error instanceof IdentityError) return error
  if (error instanceof DatabaseError && error.code === NOT_TEXT) {
    return new IdentityError('REQUEST_INVALID', 'text with a NUL character cannot be stored', {
      cause: error,
    })
  }
  const advice = adviceFor(error)
  if (advice === undefined) return error
  const state = error instanceof DatabaseError && error.code ? ` (${error.code})` : ''
  const told = reasonOf(error).replace(/\.$/, '')
  return new IdentityError('UNAVAILABLE', `database ${where}: ${told}${state}; ${advice}`, {
    cause: error,
  })
}

function adviceFor(error: unknown): string | undefined {
  if (error instanceof ConnectionLost) return 'try again'
  if (error instanceof DatabaseError) {
    const { code = '' } = error
    return ADVICE[code] ?? ADVICE[code.slice(0, 2)]
  }
  return NO_CONNECTION[codeOf(error) ?? '']
}

/** A failure to connect is never a bug of ours: the network, the other end, or what was configured. */
export function toOpenError(error: unknown, where: string): IdentityError {
  const known = toStoreError(error, where)
  if (known instanceof IdentityError) return known
  return new IdentityError('UNAVAILABLE', `database ${where}: ${explainOpening(error)}`, {
    cause: error,
  })
}

function explainOpening(error: unknown): string {
  const told = reasonOf(error)
  if (/does not support SSL/.test(told)) {
    return 'it offers no TLS; turn it on there (ssl = on), or write sslmode=disable and accept that everybody between can read and change what is stored'
  }
  if (/timeout expired/.test(told)) {
    return 'no answer within connect_timeout; look at the network and at host and port'
  }
  if (/password must be a (?:non-empty )?string/i.test(told)) {
    return 'it asks for a password and none was given; add password= to connection_string'
  }
  if (/Connection terminated/.test(told)) return 'it cut the connection; look at its log'
  const code = codeOf(error)
  if (code !== undefined && /CERT|SSL|TLS|SIGNATURE|ISSUER/.test(code)) {
    return `TLS: ${told} (${code}); compare its certificate with sslrootcert and host`
  }
  return told
}

export function codeOf(error: unknown): string | undefined {
  // errors of the system and of TLS carry one
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

/** States at which the database ends the connection. It may be in the middle of anything. */
const ENDING = /^(?:08|57P0[1-5]$|25P03$)/

/** Whatever is neither an answer of the database nor a value that cannot be sent is the connection's. */
export function endsConnection(error: unknown): boolean {
  if (error instanceof DatabaseError) return ENDING.test(error.code ?? '')
  return !(error instanceof TypeError)
}

/** Another try may do: the database undid all of it. */
export function mayRetry(error: unknown): boolean {
  return (
    error instanceof DatabaseError &&
    (error.code === '40001' ||
      error.code === '40P01' ||
      // somebody else changed the schema under a prepared statement
      (error.code === '0A000' && /cached plan/.test(error.message)))
  )
}
