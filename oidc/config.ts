/**
 * The configuration of the OIDC discovery provider: SPIRE's oidc-discovery-provider.conf, read into one frozen object
 * before anything opens. Every mistake is reported at once; no key is ignored silently.
 */
import type { AcmeSettings } from '../acme/open-acme.ts'
import { certificateFilesOf } from '../config/certificate-files.ts'
import { freeze } from '../config/freeze.ts'
import type { HealthSettings } from '../config/health.ts'
import { type LogConfig, logConfig } from '../config/log.ts'
import { type ConfigFile, readConfig } from '../config/read-config.ts'
import { CONFIG_HINT, readText } from '../config/read-text.ts'
import type { CertificateFiles } from '../disk/certificate-files.ts'
import type { ProviderSettings } from './answer.ts'
import { type OidcRead, oidcFile } from './config/keys.ts'
import { parsePathPrefix } from './config/urls.ts'
import type { KeySourceConfig } from './key-source/key-source.ts'

type AcmeRead = NonNullable<OidcRead['acme']>

const DEFAULT_PATH = 'oidc-discovery-provider.conf'

/** Host undefined: every address of the machine. */
export interface ListenAddress {
  readonly host: string | undefined
  readonly port: number
}

export type ListenConfig =
  | { readonly kind: 'https'; readonly at: ListenAddress; readonly files: CertificateFiles }
  | { readonly kind: 'acme'; readonly at: ListenAddress; readonly acme: AcmeSettings }
  | { readonly kind: 'http'; readonly at: ListenAddress }
  | { readonly kind: 'unix'; readonly path: string }

export interface OidcConfig {
  readonly provider: ProviderSettings
  readonly hasKeyUse: boolean
  readonly health: HealthSettings | undefined
  readonly keySource: KeySourceConfig
  readonly listen: ListenConfig
  readonly log: LogConfig
  readonly logsRequests: boolean
  readonly warnings: readonly string[]
}

export interface OidcFlags {
  readonly config?: string | undefined
  readonly expandEnv?: boolean | undefined
}

/** @throws IdentityError CONFIG_INVALID listing every mistake, one on each line */
export function readOidcConfig(input: ConfigFile & { readonly flags: OidcFlags }): OidcConfig {
  const { read, report } = readConfig(oidcFile, input, {
    section: '',
    flags: [],
    expandsEnv: input.flags.expandEnv === true,
  })
  return freeze({ ...build(read), warnings: report.warnings })
}

/** Reads the file as well. @throws IdentityError CONFIG_INVALID */
export function loadOidcConfig(flags: OidcFlags, env: ConfigFile['env']): OidcConfig {
  const path = flags.config === undefined || flags.config === '' ? DEFAULT_PATH : flags.config
  return readOidcConfig({ path, text: readText(path, CONFIG_HINT), flags, env, readText })
}

function build(read: OidcRead): Omit<OidcConfig, 'warnings'> {
  return {
    provider: {
      domains: read.domains,
      jwtIssuer: read.jwt_issuer,
      jwksUri: read.jwks_uri,
      pathPrefix: parsePathPrefix(read.server_path_prefix ?? ''),
      allowsHttp: read.allow_insecure_scheme,
    },
    hasKeyUse: read.set_key_use,
    health: healthOf(read),
    keySource: keySourceOf(read),
    listen: listenOf(read),
    log: logConfig({ ...read, log_file: read.log_path }),
    logsRequests: read.log_requests,
  }
}

function healthOf({ health_checks: read }: OidcRead): HealthSettings | undefined {
  if (read === undefined) return undefined
  const { bind_address: host, bind_port: port, live_path, ready_path } = read
  return { host, port, livePath: live_path, readyPath: ready_path }
}

function keySourceOf(read: OidcRead): KeySourceConfig {
  if (read.server_api !== undefined) {
    const { address, poll_interval: pollMs } = read.server_api
    return { kind: 'server_api', address, pollMs }
  }
  if (read.workload_api !== undefined) {
    const { socket_path: socketPath, trust_domain: trustDomain } = read.workload_api
    return { kind: 'workload_api', socketPath, trustDomain }
  }
  if (read.file !== undefined) {
    return { kind: 'file', path: read.file.path, pollMs: read.file.poll_interval }
  }
  throw new Error('a configuration without mistakes has no source of keys')
}

function listenOf(read: OidcRead): ListenConfig {
  if (read.serving_cert_file !== undefined) {
    const { addr, ...files } = read.serving_cert_file
    return { kind: 'https', at: toAddress(addr), files: certificateFilesOf(files) }
  }
  if (read.acme !== undefined) {
    return { kind: 'acme', at: toAddress(read.acme.addr), acme: acmeOf(read.acme, read.domains) }
  }
  if (read.insecure_addr !== undefined) return { kind: 'http', at: toAddress(read.insecure_addr) }
  if (read.listen_socket_path !== undefined) return { kind: 'unix', path: read.listen_socket_path }
  throw new Error('a configuration without mistakes does not say where to listen')
}

function acmeOf(
  { directory_url: directoryUrl, email, tos_accepted: isTosAccepted, cache_dir }: AcmeRead,
  domains: readonly string[],
): AcmeSettings {
  return {
    ...{ directoryUrl, email, isTosAccepted },
    domains: [...new Set(domains.map((domain) => domain.toLowerCase()))],
    cacheDir: cache_dir === '' ? undefined : cache_dir,
  }
}

function toAddress(written: string): ListenAddress {
  const at = written.lastIndexOf(':')
  const host = written.slice(0, at).replace(/^\[(.*)\]$/, '$1')
  return { host: host === '' ? undefined : host, port: Number(written.slice(at + 1)) }
}
