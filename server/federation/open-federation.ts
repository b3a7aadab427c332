/**
 * Federation of one server process: the endpoint that serves our bundle, and the loop that fetches those of others. Every
 * server serves; of several servers one fetches, and the others see what it wrote.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { openCertificateFiles, type ServingCertificate } from '../../disk/certificate-files.ts'
import type { Log } from '../../log/open-log.ts'
import { type Bell, createBell } from '../../spiffe/bell.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import type { Random, RandomBytes } from '../../spiffe/random.ts'
import type { Loop } from '../../spiffe/running-loops.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type {
  BundleEndpointConfig,
  EndpointCertificate,
  FederationConfig,
} from '../config/federation.ts'
import type { ServerSvidSource } from '../listen/tls-listener.ts'
import type { BundleStore, FederationStore } from '../store/store.ts'
import { oneServerAtATime, type Turns } from '../store/turns.ts'
import { serveBundleEndpoint } from './bundle-endpoint.ts'
import type { FetchBundle } from './fetch-bundle.ts'
import { type BundleRefresher, createBundleRefresher, type RefreshDeps } from './refresh-bundles.ts'
import { svidCertificate } from './serving-certificate.ts'

const DIGITS = 8
/** In the data directory; as SPIRE calls it. */
const ACME_DIRECTORY = 'bundle-acme'

export interface FederationDeps {
  readonly trustDomain: TrustDomain
  readonly federation: FederationStore
  readonly bundles: BundleStore
  readonly turns: Pick<Turns, 'hold'>
  /** Our own, the newest. */
  bundle(): Bundle
  readonly serverSvid: ServerSvidSource
  /** Certificates by ACME are kept in it. */
  readonly dataDir: string
  readonly random: Random
  readonly randomBytes: RandomBytes
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

export interface Federation extends AsyncDisposable {
  readonly refresher: BundleRefresher
  /** To be rung when a relationship was written. */
  readonly changed: Pick<Bell, 'ring'>
  readonly loops: readonly Loop[]
}

/** @throws IdentityError CONFIG_INVALID when the endpoint cannot listen or has no certificate */
export async function openFederation(
  { endpoint, relationships }: FederationConfig,
  deps: FederationDeps,
): Promise<Federation> {
  const [changed, changedHere] = [createBell(), createBell()]
  const refresher = openRefresher(relationships, { changed, changedHere }, deps)
  const served = endpoint === undefined ? undefined : await serve(endpoint, deps)
  return {
    refresher,
    changed: {
      ring() {
        changed.ring()
        changedHere.ring()
      },
    },
    loops: [
      refresher.fetchNew,
      oneServerAtATime(deps.turns, refreshTurn(relationships), [refresher.run]),
      ...(served?.loops ?? []),
    ],
    async [Symbol.asyncDispose]() {
      await served?.[Symbol.asyncDispose]()
    },
  }
}

/** Servers with other relationships in their configurations fetch too: better twice than not at all. */
function refreshTurn(configured: FederationConfig['relationships']): string {
  if (configured.length === 0) return 'federation'
  const digest = createHash('sha256').update(JSON.stringify(configured)).digest('hex')
  return `federation ${digest.slice(0, DIGITS)}`
}

function openRefresher(
  configured: FederationConfig['relationships'],
  bells: Pick<RefreshDeps, 'changed' | 'changedHere'>,
  { trustDomain: own, federation, bundles, bundle, clock, log, metrics }: FederationDeps,
): BundleRefresher {
  const bundleOf = async (domain: TrustDomain) =>
    domain === own ? bundle() : await bundles.find(domain)
  // When there is a bundle to fetch: most servers have no relationship, and start sooner without an HTTP client.
  const fetchOnce: FetchBundle = async (relationship, signal) => {
    const { bundleFetcher } = await import('./fetch-bundle.ts')
    return await bundleFetcher({ bundleOf, clock })(relationship, signal)
  }
  return createBundleRefresher({
    ...{ configured, federation, bundles, clock, ...bells },
    fetch: (relationship, signal) =>
      metrics.measure(
        'bundle_manager_fetch_federated_bundle',
        () => fetchOnce(relationship, signal),
        { trust_domain_id: relationship.trustDomain },
      ),
    onRefreshed(trust_domain, isChanged) {
      if (!isChanged) return
      metrics.count('bundle_manager_update_federated_bundle', { trust_domain_id: trust_domain })
      log.info({ trust_domain }, 'Bundle refreshed')
    },
    onFailure: (trust_domain, err) => log.error({ trust_domain, err }, 'Error updating bundle'),
  })
}

async function serve(config: BundleEndpointConfig, deps: FederationDeps) {
  const { address, port, refreshHintSeconds } = config
  const { clock, log, bundle } = deps
  const { certificate, loops } = await certificateOf(config, deps)
  const listening = await serveBundleEndpoint({
    ...{ address, port, refreshHintSeconds, certificate, bundle, clock },
    onFailure: (err) => log.error({ err }, 'Bundle endpoint could not answer'),
  })
  const fields = { addr: `${address}:${listening.port}`, refresh_hint_seconds: refreshHintSeconds }
  log.info({ ...fields, profile: config.profile.kind }, 'Serving bundle endpoint')
  return { loops, [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose]() }
}

async function certificateOf(
  { profile }: BundleEndpointConfig,
  deps: FederationDeps,
): Promise<{ readonly certificate: ServingCertificate; readonly loops: readonly Loop[] }> {
  if (profile.kind === 'https_spiffe') {
    return { certificate: svidCertificate(deps.serverSvid), loops: [] }
  }
  const opened = await openWebCertificate(profile.certificate, deps)
  return { certificate: opened, loops: [opened.follow] }
}

async function openWebCertificate(
  from: EndpointCertificate,
  { clock, log, dataDir, random, randomBytes }: FederationDeps,
): Promise<ServingCertificate & { readonly follow: Loop }> {
  if (from.kind === 'files') {
    const kept = 'Certificate of the bundle endpoint could not be reloaded; the last one stays'
    return await openCertificateFiles(from.files, {
      clock,
      onChanged: () => log.info('Certificate of the bundle endpoint reloaded'),
      onFailure: (err) => log.error({ err }, kept),
    })
  }
  const kept = 'Certificate of the bundle endpoint could not be obtained; the last one stays'
  const settings = { domains: [from.domain], cacheDir: join(dataDir, ACME_DIRECTORY) }
  const { openAcme } = await import('../../acme/open-acme.ts')
  const { httpsExchange, webRoots } = await import('../../acme/transport.ts')
  return await openAcme(
    { ...from.account, ...settings },
    {
      exchange: httpsExchange({ clock, roots: webRoots() }),
      ...{ clock, random, randomBytes },
      onObtained: (domain, expires_at) =>
        log.info({ domain, expires_at }, 'Certificate of the bundle endpoint obtained'),
      onFailure: (domain, err) => log.error({ domain, err }, kept),
    },
  )
}
