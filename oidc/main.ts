/**
 * The OIDC discovery provider: follows the keys that verify JWT-SVIDs, and serves them as an OpenID provider would.
 * While the source is away, the last keys stay.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { openAcme } from '../acme/open-acme.ts'
import { httpsExchange, webRoots } from '../acme/transport.ts'
import { openCertificateFiles } from '../disk/certificate-files.ts'
import type { Log } from '../log/open-log.ts'
import { parseBundleDocument } from '../spiffe/bundle/jwks.ts'
import type { Bundle } from '../spiffe/bundle.ts'
import type { Clock } from '../spiffe/clock.ts'
import { parseTrustDomain } from '../spiffe/id.ts'
import { systemRandom } from '../spiffe/random.ts'
import { type Loop, runLoops } from '../spiffe/running-loops.ts'
import { serveHealth } from '../telemetry/serve-health.ts'
import { answer, type KeySet } from './answer.ts'
import type { ListenConfig, OidcConfig } from './config.ts'
import { formatKeySet } from './discovery-document.ts'
import type { KeySource, KeySourceConfig } from './key-source/key-source.ts'
import { pollingSource } from './key-source/poll.ts'
import { readServerBundle } from './key-source/server-api.ts'
import { workloadApiSource } from './key-source/workload-api.ts'
import { type Listen, serveDocuments } from './serve.ts'

export interface OidcDeps {
  readonly log: Log
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly onReady?: (listening: { readonly port: number }) => void
}

/** Runs until the signal aborts. @throws IdentityError saying why the provider cannot start */
export async function runOidc(config: OidcConfig, deps: OidcDeps): Promise<void> {
  const { log, clock, signal, onReady } = deps
  for (const warning of config.warnings) log.warn(warning)
  let keys: KeySet = { kind: 'unknown' }
  const on = {
    bundle(bundle: Bundle) {
      const body = formatKeySet(bundle, { hasUse: config.hasKeyUse })
      if (body === undefined) keys = { kind: 'none' }
      else if (keys.kind !== 'known' || keys.body !== body) {
        keys = { kind: 'known', body, modifiedAt: clock.now() }
        log.info({ keys: bundle.jwtAuthorities.length }, 'Keys read')
      }
    },
    failure: (err: unknown) => log.warn({ err }, 'Keys could not be read; the last ones stay'),
  }
  const source = openSource(config.keySource, clock)
  const { listen, loops } = await openListen(config.listen, deps)
  await using served = await serveDocuments(listen, {
    answer: (question) => answer(question, keys, config.provider),
    onRequest: ({ method, path, host }, status) => {
      if (config.logsRequests) log.info({ method, path, host, status }, 'Request')
    },
  })
  // After the listener: a CA that certificates come from asks it who it is.
  await using running = runLoops([(stop) => source.follow(on, stop), ...loops])
  log.info({ address: served.address, kind: listen.kind }, 'Serving discovery documents')
  const check = async () => {
    if (keys.kind === 'unknown') throw new Error('no keys were read yet')
  }
  const checks = [{ name: 'keys', check, isOnlyReadiness: true }]
  await using _health = config.health && (await serveHealth(config.health, { checks, clock, log }))
  onReady?.({ port: served.port })
  await Promise.race([running.failed, signal.aborted ? undefined : once(signal, 'abort')])
  log.info('Stopping')
}

function openSource(config: KeySourceConfig, clock: Clock): KeySource {
  switch (config.kind) {
    case 'server_api': {
      const { address, pollMs } = config
      return pollingSource(() => readServerBundle(address, clock), { pollMs, clock })
    }
    case 'workload_api':
      return workloadApiSource(config.socketPath, config.trustDomain, clock)
    case 'file': {
      // The document does not say whose it is, and the key set that is made of it does not either.
      const nobody = parseTrustDomain('file')
      const read = async () => parseBundleDocument(await readFile(config.path, 'utf8'), nobody)
      return pollingSource(read, { pollMs: config.pollMs, clock })
    }
    default:
      return config satisfies never
  }
}

async function openListen(
  config: ListenConfig,
  { log, clock }: OidcDeps,
): Promise<{ readonly listen: Listen; readonly loops: readonly Loop[] }> {
  switch (config.kind) {
    case 'http':
    case 'unix':
      return { listen: config, loops: [] }
    case 'https': {
      const kept = 'Certificate could not be reloaded; the last one stays'
      const certificate = await openCertificateFiles(config.files, {
        clock,
        onChanged: () => log.info('Certificate reloaded'),
        onFailure: (err) => log.error({ err }, kept),
      })
      return { listen: { ...config, certificate }, loops: [certificate.follow] }
    }
    case 'acme': {
      const kept = 'Certificate could not be obtained; the last one stays'
      const certificate = await openAcme(config.acme, {
        exchange: httpsExchange({ clock, roots: webRoots() }),
        ...{ clock, random: systemRandom, randomBytes },
        onObtained: (domain, expires_at) =>
          log.info({ domain, expires_at }, 'Certificate obtained'),
        onFailure: (domain, err) => log.error({ domain, err }, kept),
      })
      return { listen: { kind: 'https', at: config.at, certificate }, loops: [certificate.follow] }
    }
    default:
      return config satisfies never
  }
}
