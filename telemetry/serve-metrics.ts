/** `/metrics` for Prometheus. Without a configuration nothing is measured and nothing listens. */
import { hostname } from 'node:os'
import type { Log } from '../log/open-log.ts'
import type { Clock } from '../spiffe/clock.ts'
import type { HttpListener } from './listen-http.ts'
import { type Metrics, NO_METRICS } from './metrics.ts'

export interface TelemetryConfig {
  readonly host: string
  readonly port: number
  /** Undefined: that of the process. */
  readonly metricPrefix: string | undefined
  readonly hasHostnameLabel: boolean
  readonly hasTrustDomainLabel: boolean
}

export interface ServeMetricsOptions {
  readonly config: TelemetryConfig | undefined
  /** `spire_server` or `spire_agent`, so that existing dashboards fit. */
  readonly prefix: string
  readonly trustDomain: string
  readonly version: string
  readonly clock: Clock
  readonly log: Log
  /** Further metrics in Prometheus' text form, read at each fetch. */
  readonly further?: () => string | Promise<string>
}

export interface ServedMetrics extends AsyncDisposable {
  readonly metrics: Metrics
  /** Undefined when nothing listens. */
  readonly port: number | undefined
}

/** @throws IdentityError CONFIG_INVALID when the address cannot be bound */
export async function serveMetrics(options: ServeMetricsOptions): Promise<ServedMetrics> {
  const { config, prefix, trustDomain, version, clock, log } = options
  if (config === undefined) {
    return { metrics: NO_METRICS, port: undefined, async [Symbol.asyncDispose]() {} }
  }
  const { openMetrics } = await import('./open-metrics.ts')
  const { listenHttp } = await import('./listen-http.ts')
  const metrics = openMetrics({
    prefix: config.metricPrefix ?? prefix,
    labels: {
      ...(config.hasHostnameLabel ? { host: hostname() } : {}),
      ...(config.hasTrustDomainLabel ? { trust_domain: plain(trustDomain) } : {}),
    },
    clock,
  })
  const startedAt = clock.now().getTime()
  metrics.gauge('started', () => 1, {
    version: plain(version),
    trust_domain_id: plain(trustDomain),
  })
  metrics.gauge('uptime_in_ms', () => clock.now().getTime() - startedAt)
  const { contentType } = metrics
  const listener: HttpListener = await listenHttp({
    ...{ host: config.host, port: config.port, portKey: 'telemetry.Prometheus.port' },
    pages: {
      '/metrics': async () => {
        const body = `${await metrics.text()}${(await options.further?.()) ?? ''}`
        return { status: 200, contentType, body }
      },
    },
  })
  log.info({ address: `${config.host}:${listener.port}` }, 'Serving metrics')
  return {
    metrics,
    port: listener.port,
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  }
}

/** SPIRE takes these characters out of its labels, so existing queries ask for what is left. */
export function plain(text: string): string {
  return text.replace(/[.\-+ ]/g, '_')
}
