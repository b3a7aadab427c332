/** The blocks health_checks and telemetry, which server.conf and agent.conf share: what either program reads of them, and refuses. */
import { expect, test } from 'vitest'
import type { HealthSettings } from '../../config/health.ts'
import type { TelemetrySettings } from '../../config/telemetry.ts'
import { refusalOf } from './trees.ts'

const REFUSED = [
  ['health_checks { live_path = "live" }', 'health_checks.live_path is "live"'],
  ['health_checks { live_path = "/x y" }', 'health_checks.live_path is "/x y"'],
  ['health_checks { live_path = "/ready" }', 'live_path and ready_path are both /ready'],
  ['telemetry { MetricPrefix = "a-b" }', 'telemetry.MetricPrefix is "a-b"'],
  [
    'telemetry { Prometheus { tls { } } }',
    'telemetry.Prometheus.tls is not offered: metrics are served without TLS',
  ],
  [
    'telemetry { Statsd = [{ address = "x" }] }',
    'telemetry.Statsd is not offered: metrics are fetched by Prometheus alone',
  ],
  [
    'telemetry { InMem { } }',
    'telemetry.InMem is not offered: metrics are fetched by Prometheus alone',
  ],
] as const

/** @param blocks reads the smallest file of a program with `text` at its end */
export function testSharedBlocks(
  blocks: (text: string) => {
    readonly health: HealthSettings | undefined
    readonly telemetry: TelemetrySettings | undefined
  },
): void {
  test('serves health and metrics only where the file says so, with every key', () => {
    const health =
      'health_checks { listener_enabled = true bind_address = "0.0.0.0" bind_port = "8080" live_path = "/l" ready_path = "/r" }'
    expect(blocks(health).health).toEqual({
      host: '0.0.0.0',
      port: 8080,
      livePath: '/l',
      readyPath: '/r',
    })
    expect(blocks('health_checks { bind_port = 8080 }').health).toBeUndefined()
    const metrics =
      'telemetry { Prometheus { host = "0.0.0.0" port = 9000 } MetricPrefix = "x" EnableHostnameLabel = false EnableTrustDomainLabel = true }'
    expect(blocks(metrics).telemetry).toEqual({
      host: '0.0.0.0',
      port: 9000,
      metricPrefix: 'x',
      hasHostnameLabel: false,
      hasTrustDomainLabel: true,
    })
    expect(blocks('telemetry { MetricPrefix = "x" }').telemetry).toBeUndefined()
  })

  test.for(REFUSED)('refuses %s', ([text, message]) => {
    expect(refusalOf(() => blocks(text))).toContain(message)
  })
}
