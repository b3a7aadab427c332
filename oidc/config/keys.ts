/**
 * Every key of SPIRE's oidc-discovery-provider.conf: those that are read, with their defaults, and those that are
 * refused, with the reason.
 *
 * @see https://github.com/spiffe/spire/blob/main/support/oidc-discovery-provider/README.md
 */
import { absent } from '../../config/absent.ts'
import { acmeKeys, isDomainName } from '../../config/acme.ts'
import { certificateFiles } from '../../config/certificate-files.ts'
import {
  type Keys,
  optional,
  placeOf,
  type Read,
  refine,
  required,
  type Section,
  section,
  type Unsure,
  withDefault,
} from '../../config/check.ts'
import { ifWritten } from '../../config/if-written.ts'
import { type KeyRow, listKeys } from '../../config/key-table.ts'
import { logKeys } from '../../config/log.ts'
import { addMistake, addRefusal } from '../../config/mistake.ts'
import {
  host,
  listOf,
  milliseconds,
  port,
  socketPath,
  text,
  textLike,
  trustDomain,
  truth,
  value,
} from '../../config/value.ts'
import { parseHttpUrl, parsePathPrefix } from './urls.ts'

const WINDOWS_ONLY = 'for Windows only'
/** As Go writes where to listen: `:443` for every address of the machine. */
const LISTEN = /^(?:[A-Za-z0-9.-]*|\[[0-9a-fA-F:.]+\]):\d{1,5}$/
const UNIX_ADDRESS = /^unix:\/{0,2}\/[^\0]+$/
const PATH = /^\/[A-Za-z0-9._~/-]*$/

const listen = () => textLike(LISTEN, 'an address such as :443 or 127.0.0.1:8080')
const pollInterval = () => withDefault(milliseconds(), '10s', 'how often the keys are read again')

const servingCertFile = section({
  ...certificateFiles().keys,
  addr: withDefault(listen(), ':443', 'where to listen'),
})

/** Unlike other texts an empty one says something: nothing is kept. */
const cacheDir = value<string>(
  (node) =>
    node.kind === 'string'
      ? { kind: 'value', value: node.value }
      : { kind: 'wrong', message: 'is no text' },
  'a path, or an empty text to keep nothing',
)

const acme = section({
  ...acmeKeys(),
  addr: withDefault(listen(), ':443', 'where to listen; a CA asks at port 443'),
  cache_dir: withDefault(cacheDir, './.acme-cache', 'where account key and certificates are kept'),
})

const experimental = section({
  listen_named_pipe_name: absent('pipe to listen on', undefined, WINDOWS_ONLY),
  named_pipe_name: absent('pipe of the API', undefined, WINDOWS_ONLY),
})

const serverApi = section({
  address: required(textLike(UNIX_ADDRESS, 'unix:///path'), 'admin socket of the server'),
  poll_interval: pollInterval(),
  experimental: optional(ifWritten(experimental), 'keys that may change'),
})

const workloadApi = section({
  socket_path: required(socketPath(), 'Workload API socket'),
  trust_domain: required(trustDomain(), 'whose keys to serve'),
  poll_interval: absent('how often to ask', '10s', 'needless: the Workload API tells of changes'),
  experimental: optional(ifWritten(experimental), 'keys that may change'),
})

const file = section({
  path: required(text('a path'), 'SPIFFE bundle document'),
  poll_interval: pollInterval(),
})

const healthChecks = section({
  bind_address: withDefault(host(), 'localhost', 'address of the health endpoint'),
  bind_port: withDefault(port(), '8008', 'port of the health endpoint'),
  live_path: withDefault(textLike(PATH, 'a path'), '/live', 'path that answers whether it lives'),
  ready_path: withDefault(
    textLike(PATH, 'a path'),
    '/ready',
    'path that answers whether it is ready',
  ),
})

const { log_file, ...sharedLogKeys } = logKeys

const LISTENERS = ['acme', 'serving_cert_file', 'insecure_addr', 'listen_socket_path'] as const
/** Each is an order of its own; CAs count them by the week. */
const MAX_ACME_DOMAINS = 50

const keys = section({
  acme: optional(ifWritten(acme), 'certificates by ACME, and where to listen'),
  allow_insecure_scheme: withDefault(
    truth(),
    'false',
    'documents that name http where asked by it',
  ),
  domains: required(listOf(text(), 'domain names'), 'names that this provider is asked by'),
  experimental: optional(ifWritten(experimental), 'keys that may change'),
  file: optional(ifWritten(file), 'keys from a file'),
  health_checks: optional(ifWritten(healthChecks), 'health endpoint'),
  insecure_addr: optional(listen(), 'where to listen without TLS'),
  jwks_uri: optional(text('a URL'), 'where the documents say that the keys are'),
  jwt_issuer: optional(text('a URL'), 'issuer, as the tokens have it'),
  listen_socket_path: optional(socketPath(), 'Unix socket to listen on'),
  log_path: log_file,
  log_requests: withDefault(truth(), 'false', 'a log line for each request'),
  ...sharedLogKeys,
  server_api: optional(ifWritten(serverApi), 'keys from the server'),
  server_path_prefix: optional(text('a path'), 'path that all others stand behind'),
  serving_cert_file: optional(ifWritten(servingCertFile), 'certificate files, and where to listen'),
  set_key_use: withDefault(truth(), 'false', 'say of each key that it is for signatures'),
  workload_api: optional(ifWritten(workloadApi), 'keys from the Workload API'),
})

export type OidcRead = Read<(typeof keys)['keys']>
type Report = Parameters<typeof addMistake>[0]

export const oidcFile = refine(keys, (read, { report }) => {
  const top = placeOf(read, '')
  if (read.domains !== undefined && read.domains.length === 0) {
    addMistake(report, placeOf(read, 'domains'), 'domains is empty', 'at least one domain')
  }
  exactlyOne(read, LISTENERS, report, top)
  exactlyOne(read, ['server_api', 'workload_api', 'file'], report, top)
  checkAcme(read, report)
  const attempt = (key: 'jwt_issuer' | 'jwks_uri' | 'server_path_prefix', parse: () => unknown) => {
    try {
      parse()
    } catch (error) {
      addRefusal(report, placeOf(read, key), key, error)
    }
  }
  attempt('jwt_issuer', () => read.jwt_issuer && parseHttpUrl(read.jwt_issuer))
  attempt('jwks_uri', () => read.jwks_uri && parseHttpUrl(read.jwks_uri))
  attempt('server_path_prefix', () => parsePathPrefix(read.server_path_prefix ?? ''))
  return {}
})

/** As SPIRE's provider: it does not start without an address and without the terms accepted. */
function checkAcme(read: Unsure<OidcRead>, report: Report): void {
  if (read.acme === undefined) return
  const place = placeOf(read, 'acme')
  if (read.acme.tos_accepted === false) {
    addMistake(report, place, 'acme.tos_accepted is false', 'true, once you have read the terms')
  }
  if (read.acme.email === undefined && report.mistakes.length === 0) {
    addMistake(report, place, 'acme.email is missing', 'an address such as ops@example.org')
  }
  const domains = read.domains ?? []
  for (const domain of domains.filter((name) => !isDomainName(name))) {
    const seen = `domains has ${JSON.stringify(domain)}`
    addMistake(report, placeOf(read, 'domains'), seen, 'DNS names alone, when acme is there')
  }
  if (domains.length > MAX_ACME_DOMAINS) {
    const seen = `domains has ${domains.length} names`
    const most = `at most ${MAX_ACME_DOMAINS} when acme is there`
    addMistake(report, placeOf(read, 'domains'), seen, most)
  }
}

function exactlyOne(
  read: Unsure<OidcRead>,
  names: readonly (keyof OidcRead & string)[],
  report: Report,
  place: Parameters<typeof addMistake>[1],
): void {
  const written = names.filter((name) => read[name] !== undefined)
  if (written.length === 1 || report.mistakes.length > 0) return
  const seen = written.length === 0 ? 'none is there' : `${written.join(' and ')} are there`
  addMistake(report, place, `of ${names.join(', ')} ${seen}`, 'exactly one')
}

/** Every key of the file, for the documentation. */
export const oidcKeys: readonly KeyRow[] = listKeys((oidcFile as Section<Keys>).keys, '')
