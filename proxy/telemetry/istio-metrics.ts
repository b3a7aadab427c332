/**
 * The metrics that dashboards of Istio read, under its names. What a pair of workloads counts into is looked up once for
 * each connection; the rest is addition.
 *
 * @see Istio standard metrics
 */
import type { Labels } from '../../telemetry/metrics.ts'
import { type Counter, createSeriesTable, type Histogram } from '../../telemetry/series.ts'
import { type Parties, partyLabels } from './parties.ts'

/** What a request is told apart by, beyond its pair of workloads. */
export interface RequestOutcome {
  /** 0: the client got none. */
  readonly status: number
  readonly grpcStatus: number | undefined
  /** Joined by commas; `-` when there is none. */
  readonly flags: string
  readonly isGrpc: boolean
}

export interface RequestSample extends RequestOutcome {
  readonly durationMs: number
  readonly requestBytes: number
  readonly responseBytes: number
}

export interface HttpMeter {
  count(sample: RequestSample): void
}

export interface TcpMeter {
  opened(): void
  /** Bytes since the last call. */
  carried(received: number, sent: number): void
  /** @param flags `-`, or why it ended */
  closed(flags: string): void
}

/** As Istio writes that nothing went wrong. */
const NO_FLAGS = '-'

export interface IstioMetrics {
  http(parties: Parties): HttpMeter
  tcp(parties: Parties): TcpMeter
  /** Connections that never came to anything: refused in the handshake or by policy, or without an upstream. */
  failed(parties: Parties, flags: string): void
  /** What policies in dry-run would have said. @param policy `namespace/name`, or `none` */
  dryRun(action: 'ALLOW' | 'DENY', result: 'allowed' | 'denied', policy: string): void
  text(): string
}

/** Of every metric that may occur; docs/watching-the-proxy.md has their labels. */
export const TRAFFIC_METRICS = {
  istio_requests_total: 'Requests that have ended, with their answer.',
  istio_request_duration_milliseconds:
    'Time from the head of a request to the end of its answer, in milliseconds.',
  istio_request_bytes: 'Size of the bodies of requests, in bytes.',
  istio_response_bytes: 'Size of the bodies of answers, in bytes.',
  istio_tcp_connections_opened_total: 'TCP connections that were taken.',
  istio_tcp_connections_closed_total: 'TCP connections that have ended, and how.',
  istio_tcp_connections_failed_total:
    'Connections that came to nothing: refused by a handshake or by policy, or without an upstream.',
  istio_tcp_received_bytes_total: 'Bytes that clients of TCP connections have sent.',
  istio_tcp_sent_bytes_total: 'Bytes that clients of TCP connections were sent.',
  steeple_authorization_dry_run_total:
    'What policies in dry-run would have said of requests and connections.',
} as const

/** As Envoy's, which Istio's dashboards have their quantiles from; milliseconds or bytes. */
const BOUNDS = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000,
  600_000, 1_800_000, 3_600_000,
]

/** Outcomes remembered for one pair; beyond it they are looked up anew. */
const MAX_OUTCOMES = 64

interface RequestSeries {
  readonly total: Counter
  readonly duration: Histogram
  readonly requestBytes: Histogram
  readonly responseBytes: Histogram
}

export function openIstioMetrics(): IstioMetrics {
  const table = createSeriesTable(TRAFFIC_METRICS)
  const requestSeries = (labels: Labels): RequestSeries => ({
    total: table.counter('istio_requests_total', labels),
    duration: table.histogram('istio_request_duration_milliseconds', BOUNDS, labels),
    requestBytes: table.histogram('istio_request_bytes', BOUNDS, labels),
    responseBytes: table.histogram('istio_response_bytes', BOUNDS, labels),
  })
  return {
    http(parties) {
      const base = partyLabels(parties)
      const known = new Map<string, RequestSeries>()
      const seriesOf = (outcome: RequestOutcome): RequestSeries => {
        const key = `${outcome.status} ${outcome.grpcStatus} ${outcome.flags} ${outcome.isGrpc}`
        const found = known.get(key)
        if (found !== undefined) return found
        const made = requestSeries({ ...base, ...outcomeLabels(outcome) })
        if (known.size < MAX_OUTCOMES) known.set(key, made)
        return made
      }
      // Most requests of a connection end as the one before did.
      let last: RequestOutcome | undefined
      let lastSeries: RequestSeries | undefined
      return {
        count(sample) {
          if (lastSeries === undefined || last === undefined || !endsAlike(last, sample)) {
            lastSeries = seriesOf(sample)
            last = sample
          }
          lastSeries.total.add(1)
          lastSeries.duration.observe(sample.durationMs)
          lastSeries.requestBytes.observe(sample.requestBytes)
          lastSeries.responseBytes.observe(sample.responseBytes)
        },
      }
    },
    tcp(parties) {
      const labels = tcpLabels(parties, NO_FLAGS)
      const received = table.counter('istio_tcp_received_bytes_total', labels)
      const sent = table.counter('istio_tcp_sent_bytes_total', labels)
      return {
        opened: () => table.counter('istio_tcp_connections_opened_total', labels).add(1),
        carried(receivedBytes, sentBytes) {
          received.add(receivedBytes)
          sent.add(sentBytes)
        },
        closed(flags) {
          const how = flags === NO_FLAGS ? labels : { ...labels, response_flags: flags }
          table.counter('istio_tcp_connections_closed_total', how).add(1)
        },
      }
    },
    failed: (parties, flags) =>
      table.counter('istio_tcp_connections_failed_total', tcpLabels(parties, flags)).add(1),
    dryRun: (action, result, policy) =>
      table.counter('steeple_authorization_dry_run_total', { action, result, policy }).add(1),
    text: table.text,
  }
}

const tcpLabels = (parties: Parties, flags: string): Labels => ({
  ...partyLabels(parties),
  request_protocol: 'tcp',
  response_flags: flags,
})

function endsAlike(one: RequestOutcome, other: RequestOutcome): boolean {
  return (
    one.status === other.status &&
    one.flags === other.flags &&
    one.grpcStatus === other.grpcStatus &&
    one.isGrpc === other.isGrpc
  )
}

function outcomeLabels({ status, grpcStatus, flags, isGrpc }: RequestOutcome): Labels {
  return {
    request_protocol: isGrpc ? 'grpc' : 'http',
    response_code: String(status),
    grpc_response_status: grpcStatus === undefined ? '' : String(grpcStatus),
    response_flags: flags,
  }
}
