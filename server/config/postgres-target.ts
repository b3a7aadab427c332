/**
 * What a connection string of PostgreSQL asks for, with libpq's names and meanings; what is not offered is
 * refused by name. Two things are stricter than libpq: without sslmode it is `require`, as the Go driver that
 * SPIRE uses has it, and `verify-…` demands that roots are named.
 *
 * @see https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-PARAMKEYWORDS
 */
import type {
  PostgresHost,
  PostgresTarget,
  PostgresTls,
  SslMode,
} from '../store/postgres/postgres-config.ts'
import { refuse, splitConnectionString, type Words } from './connection-words.ts'

const MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const

const DEFAULT_PORT = '5432'
const DEFAULT_CONNECT_SECONDS = 10
/** libpq rounds 1 up to this. */
const LEAST_CONNECT_SECONDS = 2
const MOST_CONNECT_SECONDS = 600
const MAX_HOSTS = 16

const OFFERED: ReadonlySet<string> = new Set(
  `host port user password dbname sslmode sslrootcert sslcert sslkey connect_timeout application_name
  fallback_application_name options search_path client_encoding target_session_attrs`.split(/\s+/),
)
/** Names of libpq that are not offered. Any other name is not shown: it might be part of a password. */
const KNOWN: ReadonlySet<string> = new Set(
  `hostaddr passfile require_auth channel_binding keepalives keepalives_idle keepalives_interval
  keepalives_count tcp_user_timeout replication gssencmode sslcompression sslpassword sslcrl sslcrldir
  sslsni sslnegotiation sslcertmode requirepeer ssl_min_protocol_version ssl_max_protocol_version
  krbsrvname gsslib gssdelegation service load_balance_hosts binary_parameters disable_prepared_binary_result
  statement_timeout timezone datestyle role sslinline ssl`.split(/\s+/),
)

export interface TargetInput {
  readonly text: string
  /** The account of this process: libpq's default for the user. Undefined when it has no name. */
  readonly account: string | undefined
  readonly readText: (path: string) => string
  /** Something works, but not as its writer may think. */
  readonly onWarning: (message: string) => void
}

/** @throws IdentityError CONFIG_INVALID; the message never shows the string */
export function parsePostgresTarget(input: TargetInput): PostgresTarget {
  const words = splitConnectionString(input.text)
  ;[...words.keys()].forEach(refuseOther)
  if ((words.get('client_encoding') ?? 'auto').match(/^(?:auto|utf-?8)$/i) === null) {
    refuse('sets client_encoding to another value than UTF8')
  }
  const user = words.get('user') || input.account || undefined
  if (user === undefined) return refuse('names no user: add user=')
  const hosts = hostsOf(words)
  return {
    hosts,
    user,
    password: words.get('password') || undefined,
    database: words.get('dbname') || user,
    applicationName:
      words.get('application_name') || words.get('fallback_application_name') || 'steeple',
    options: optionsOf(words),
    wants: wantsOf(words, hosts),
    connectTimeoutMs: connectSeconds(words) * 1000,
    tls: tlsOf(words, hosts, input),
  }
}

function refuseOther(name: string, place: number): void {
  if (OFFERED.has(name)) return
  refuse(
    KNOWN.has(name)
      ? `has the setting ${name}, which is not offered`
      : `has an unknown setting, the one with number ${place + 1}`,
  )
}

function hostsOf(words: Words): readonly PostgresHost[] {
  const hosts = (words.get('host') || 'localhost').split(',')
  if (hosts.length > MAX_HOSTS) refuse(`has more than ${MAX_HOSTS} hosts`)
  const ports = (words.get('port') ?? '').split(',')
  if (ports.length !== 1 && ports.length !== hosts.length) {
    refuse(`has ${ports.length} ports for ${hosts.length} hosts (expected one, or one for each)`)
  }
  return hosts.map((host, i) => {
    const port = (ports.length === 1 ? ports[0] : ports[i]) || DEFAULT_PORT
    if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
      refuse('has a port that is none (expected 1 to 65535)')
    }
    return { host: host === '' ? 'localhost' : host, port: Number(port) }
  })
}

/** Several hosts are usually a primary and its standbys: what is written must reach the primary. */
function wantsOf(words: Words, hosts: readonly PostgresHost[]): PostgresTarget['wants'] {
  const asked = words.get('target_session_attrs')
  switch (asked) {
    case undefined:
      return hosts.length > 1 ? 'primary' : 'any'
    case 'any':
      return 'any'
    case 'read-write':
    case 'primary':
      return 'primary'
    default:
      return refuse('sets target_session_attrs to another value than any, primary or read-write')
  }
}

function optionsOf(words: Words): string | undefined {
  const path = words.get('search_path')
  // libpq's options are words with backslashes before spaces; the Go driver takes the setting as a name of its own.
  const search = path === undefined ? '' : `-c search_path=${path.replace(/([\\\s])/g, '\\$1')}`
  return [words.get('options') ?? '', search].join(' ').trim() || undefined
}

function connectSeconds(words: Words): number {
  const written = words.get('connect_timeout')
  if (written === undefined || written === '' || written === '0') return DEFAULT_CONNECT_SECONDS
  const seconds = /^\d{1,4}$/.test(written) ? Number(written) : MOST_CONNECT_SECONDS + 1
  if (seconds > MOST_CONNECT_SECONDS) {
    refuse(`sets connect_timeout to no number of seconds up to ${MOST_CONNECT_SECONDS}`)
  }
  return Math.max(seconds, LEAST_CONNECT_SECONDS)
}

const isMode = (text: string): text is SslMode => MODES.some((mode) => mode === text)

function tlsOf(words: Words, hosts: readonly PostgresHost[], input: TargetInput): PostgresTls {
  const mode = words.get('sslmode') || 'require'
  if (!isMode(mode)) return refuse(`sets sslmode to another value than ${MODES.join(', ')}`)
  const root = words.get('sslrootcert') || undefined
  const roots = rootsOf(root, input)
  if (mode.startsWith('verify-') && roots === undefined) {
    refuse(`has sslmode=${mode} without roots: add sslrootcert=FILE, or sslrootcert=system`)
  }
  if (roots?.kind === 'system' && mode !== 'verify-full') {
    refuse(
      'has sslrootcert=system without sslmode=verify-full: anybody can have a certificate of some name',
    )
  }
  const [certificate, key] = [words.get('sslcert'), words.get('sslkey')]
  if (((certificate || undefined) === undefined) !== ((key || undefined) === undefined)) {
    refuse('has one of sslcert and sslkey (expected both or neither)')
  }
  warn(mode, roots, hosts, input)
  return {
    mode,
    roots,
    client:
      certificate && key
        ? { certificate: input.readText(certificate), key: input.readText(key) }
        : undefined,
  }
}

function rootsOf(root: string | undefined, { readText }: TargetInput): PostgresTls['roots'] {
  if (root === undefined) return undefined
  if (root === 'system') return { kind: 'system' }
  const pem = readText(root)
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) refuse('has a sslrootcert without certificates')
  return { kind: 'pem', pem }
}

/** Of modes under which somebody in between could read, or answer in place of the database. */
function warn(
  mode: SslMode,
  roots: PostgresTls['roots'],
  hosts: readonly PostgresHost[],
  { onWarning }: TargetInput,
): void {
  const isLocal = ({ host }: PostgresHost) =>
    host.startsWith('/') || host === 'localhost' || host === '::1' || host.startsWith('127.')
  if (mode.startsWith('verify-') || hosts.every(isLocal)) return
  if (mode === 'require') {
    if (roots !== undefined) return
    onWarning(
      'sslmode=require without sslrootcert encrypts but does not verify who answers: use sslmode=verify-full with sslrootcert',
    )
    return
  }
  onWarning(
    `sslmode=${mode} lets whoever is in between read and change what is stored: use sslmode=verify-full with sslrootcert`,
  )
}
