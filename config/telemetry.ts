/** The telemetry block, which the server and the agent share: Prometheus, or nothing. */
import { absent } from './absent.ts'
import { optional, type Read, section, withDefault } from './check.ts'
import { ifWritten } from './if-written.ts'
import { host, port, textLike, truth } from './value.ts'

export interface TelemetrySettings {
  readonly host: string
  readonly port: number
  /** Undefined: that of the process. */
  readonly metricPrefix: string | undefined
  readonly hasHostnameLabel: boolean
  readonly hasTrustDomainLabel: boolean
}

/** Why other ways to measure are refused, read after the name of the key. */
const NO_FILTERS = 'not offered: what is kept is chosen in Prometheus, by metric_relabel_configs'
const NO_OTHER_SINKS =
  'not offered: metrics are fetched by Prometheus alone, and exporters of its own pass them on'
const NO_TLS =
  'not offered: metrics are served without TLS; keep them on localhost, behind what speaks TLS'

const METRIC_PREFIX = /^[A-Za-z_][A-Za-z0-9_]*$/

const prometheus = section({
  host: withDefault(host(), 'localhost', 'address that metrics are served at'),
  port: withDefault(port(), '9988', 'port that metrics are served at'),
  tls: absent('serve metrics over TLS', undefined, NO_TLS),
})

export const telemetry = section({
  AllowedLabels: absent('labels to keep', '[]', NO_FILTERS),
  AllowedPrefixes: absent('metrics to keep', '[]', NO_FILTERS),
  BlockedLabels: absent('labels to drop', '[]', NO_FILTERS),
  BlockedPrefixes: absent('metrics to drop', '[]', NO_FILTERS),
  DogStatsd: absent('metrics sent to DogStatsD', '[]', NO_OTHER_SINKS),
  EnableHostnameLabel: withDefault(truth(), 'true', 'label with the host name'),
  EnableTrustDomainLabel: withDefault(truth(), 'false', 'label with the trust domain'),
  InMem: absent('metrics kept in memory', undefined, NO_OTHER_SINKS),
  M3: absent('metrics sent to M3', '[]', NO_OTHER_SINKS),
  MetricPrefix: optional(
    textLike(METRIC_PREFIX, 'letters, digits and underscores'),
    'prefix of metric names instead of the program’s',
  ),
  Prometheus: optional(ifWritten(prometheus), 'metrics for Prometheus'),
  Statsd: absent('metrics sent to StatsD', '[]', NO_OTHER_SINKS),
})

/** @returns undefined when nothing is to be measured */
export function telemetrySettings(
  read: Read<(typeof telemetry)['keys']>,
): TelemetrySettings | undefined {
  if (read.Prometheus === undefined) return undefined
  return {
    host: read.Prometheus.host,
    port: read.Prometheus.port,
    metricPrefix: read.MetricPrefix,
    hasHostnameLabel: read.EnableHostnameLabel,
    hasTrustDomainLabel: read.EnableTrustDomainLabel,
  }
}
