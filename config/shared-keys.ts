/** Sections of SPIRE's that the server and the agent share, none of them implemented yet. */
import { absent } from './absent.ts'

export const telemetryKeys = {
  AllowedLabels: absent('labels to keep', '[]'),
  AllowedPrefixes: absent('metrics to keep', '[]'),
  BlockedLabels: absent('labels to drop', '[]'),
  BlockedPrefixes: absent('metrics to drop', '[]'),
  DogStatsd: absent('metrics sent to DogStatsD', '[]'),
  EnableHostnameLabel: absent('label with the host name', 'true'),
  EnableTrustDomainLabel: absent('label with the trust domain', 'false'),
  InMem: absent('metrics kept in memory'),
  M3: absent('metrics sent to M3', '[]'),
  MetricPrefix: absent('prefix of metric names'),
  Prometheus: absent('metrics for Prometheus'),
  Statsd: absent('metrics sent to StatsD', '[]'),
}

export const healthKeys = {
  bind_address: absent('address of the health endpoint', 'localhost'),
  bind_port: absent('port of the health endpoint', '80'),
  listener_enabled: absent('serve the health endpoint', 'false'),
  live_path: absent('path that answers whether it lives', '/live'),
  ready_path: absent('path that answers whether it is ready', '/ready'),
}

export const profilingKeys = {
  profiling_enabled: absent('profiling', 'false'),
  profiling_freq: absent('seconds between profiles', '0'),
  profiling_names: absent('profiles to write', '[]'),
  profiling_port: absent('port of the profiler', '0'),
}
