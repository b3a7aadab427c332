/**
 * One connection to PostgreSQL, opened as libpq would: hosts in order, TLS by `sslmode`. Who asks for
 * `verify-ca` or `verify-full` never sends a password to an end that was not verified.
 *
 * @see https://www.postgresql.org/docs/15/libpq-ssl.html — what each mode protects against
 */
import { type ConnectionOptions, checkServerIdentity } from 'node:tls'
import { Client, DatabaseError, types } from 'pg'
import { IdentityError } from '../../../spiffe/error.ts'
import type { PostgresHost, PostgresTarget, PostgresTls } from './postgres-config.ts'
import { toOpenError } from './store-error.ts'

/** What every session of ours is limited to, in milliseconds. */
const STATEMENT_MS = 30_000
/** A server that is held up in a transaction keeps the others waiting for no longer than this. */
const IDLE_IN_TRANSACTION_MS = 5_000
/** Silence of the connection before the other end is probed; ten probes, a second apart, then end it. */
const KEEPALIVE_MS = 5_000
/** The database drops us as early as we drop it, and with us what we hold there. */
const PROBES =
  '-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=10 -c tcp_user_timeout=15000'

/** A plan that was made while a table was small would be kept until the database looks at its size, a minute later. */
const PLANS = '-c plan_cache_mode=force_custom_plan'

const INT8 = 20

export type Purpose =
  /** Statements that must end within `STATEMENT_MS`. */
  | 'work'
  /** Nobody waits for its statements: migrations, locks that are held, notifications. */
  | 'stay'

/** Host and database, for messages: nothing secret. */
export function placeName({ hosts, database }: PostgresTarget): string {
  return `${database} at ${hosts.map(hostName).join(', ')}`
}

const hostName = ({ host, port }: PostgresHost) =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

/** A connection, and whether it still is one. */
export interface LiveClient {
  readonly client: Client
  /** Aborts when the connection is gone, by whatever cause. */
  readonly lost: AbortSignal
  /** Ends it at once, without goodbye: for an end that no longer answers. */
  cut(): void
}

/** @throws IdentityError UNAVAILABLE; the failure of the last host that was tried */
export async function openClient(target: PostgresTarget, purpose: Purpose): Promise<LiveClient> {
  let failure: unknown
  for (const place of target.hosts) {
    for (const ssl of attemptsFor(target.tls, place)) {
      try {
        return await connect(target, place, ssl, purpose)
      } catch (error) {
        failure = error
        if (!mayTryOtherTls(target.tls, error)) break
      }
    }
  }
  throw toOpenError(failure, placeName(target))
}

async function connect(
  target: PostgresTarget,
  { host, port }: PostgresHost,
  ssl: ConnectionOptions | false,
  purpose: Purpose,
): Promise<LiveClient> {
  const { user, password, database } = target
  const client = new Client({
    ...{ host, port, user, database, ssl },
    ...(password === undefined ? {} : { password }),
    application_name: target.applicationName,
    options: [PROBES, PLANS, target.options ?? ''].join(' ').trim(),
    connectionTimeoutMillis: target.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    // The database gives up first; what the network swallowed ends a little later on this side.
    ...(purpose === 'work'
      ? { statement_timeout: STATEMENT_MS, query_timeout: STATEMENT_MS + 5_000 }
      : {}),
    types: { getTypeParser },
  })
  const gone = new AbortController()
  client.on('error', () => gone.abort()) // what was running has been told by itself
  client.on('end', () => gone.abort())
  try {
    await client.connect()
    if (target.wants === 'primary') await refuseStandby(client)
  } catch (error) {
    client.connection.stream.destroy()
    throw error
  }
  const cut = () => {
    gone.abort()
    client.connection.stream.destroy()
  }
  return { client, lost: gone.signal, cut }
}

async function refuseStandby(client: Client): Promise<void> {
  const { rows } = await client.query<{ standby: boolean }>('select pg_is_in_recovery() as standby')
  if (rows[0]?.standby !== false) {
    throw new IdentityError(
      'UNAVAILABLE',
      'none of the hosts is a primary, the last one that answered is a standby',
    )
  }
}

/** Counters and times of ours are far below 2^53. */
const getTypeParser: typeof types.getTypeParser = (oid: number, format?: 'text' | 'binary') =>
  oid === INT8 ? Number : types.getTypeParser(oid, format as 'text') // its overloads differ by this alone

/** What is tried, in order: `allow` begins in the clear, `prefer` ends there. */
function attemptsFor(tls: PostgresTls, { host }: PostgresHost): (ConnectionOptions | false)[] {
  if (host.startsWith('/')) return [false]
  switch (tls.mode) {
    case 'disable':
      return [false]
    case 'allow':
      return [false, tlsOptions(tls, host)]
    case 'prefer':
      return [tlsOptions(tls, host), false]
    default:
      return [tlsOptions(tls, host)]
  }
}

/** The database's answer to one of the two ways: the other may be what it wants. Never after a failed verification. */
function mayTryOtherTls({ mode }: PostgresTls, error: unknown): boolean {
  if (mode === 'prefer' && error instanceof Error && /does not support SSL/.test(error.message)) {
    return true
  }
  return (mode === 'allow' || mode === 'prefer') && error instanceof DatabaseError
    ? error.code === '28000'
    : false
}

/** Roots that were given are always looked at, as libpq does for `require`; the name only by `verify-full`. */
function tlsOptions({ mode, roots, client }: PostgresTls, host: string): ConnectionOptions {
  const verifies = mode.startsWith('verify-') || (mode === 'require' && roots !== undefined)
  if (verifies && roots === undefined) {
    throw new IdentityError('CONFIG_INVALID', `sslmode=${mode} needs sslrootcert`)
  }
  return {
    minVersion: 'TLSv1.2',
    rejectUnauthorized: verifies,
    checkServerIdentity: (_, certificate) =>
      mode === 'verify-full' ? checkServerIdentity(host, certificate) : undefined,
    ...(roots?.kind === 'pem' ? { ca: roots.pem } : {}),
    ...(client === undefined ? {} : { cert: client.certificate, key: client.key }),
  }
}
