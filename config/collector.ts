/** Where spans go and how many: the two values that the proxy reads for itself, and the server for proxies that it puts beside workloads. */
import { type Value, value } from './value.ts'

export interface CollectorEndpoint {
  /** As it was written; there is no secret in it. */
  readonly url: string
  readonly isSecure: boolean
  /** Without brackets. */
  readonly host: string
  readonly address: { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /** For the header Host. */
  readonly authority: string
  readonly path: string
}

/** Where OTLP's collectors take traces. */
const DEFAULT_PATH = '/v1/traces'
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 }

export function collectorEndpoint(): Value<CollectorEndpoint> {
  return value((node) => {
    if (node.kind === 'string' && node.value === '') return { kind: 'unset' }
    const endpoint = node.kind === 'string' ? parseEndpoint(node.value) : undefined
    // Not shown: a password may stand in it.
    return endpoint === undefined
      ? { kind: 'wrong', message: 'is no URL of a collector' }
      : { kind: 'value', value: endpoint }
  }, 'http://host:port or https://host:port, with a path if it is not /v1/traces, without user, query or fragment')
}

function parseEndpoint(written: string): CollectorEndpoint | undefined {
  if (!URL.canParse(written)) return undefined
  const url = new URL(written)
  const standard = DEFAULT_PORTS[url.protocol]
  const isPlain = url.username === '' && url.password === '' && !/[?#]/.test(written)
  if (standard === undefined || !isPlain) return undefined
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  return {
    url: written,
    isSecure: url.protocol === 'https:',
    host,
    address: { kind: 'tcp', host, port: url.port === '' ? standard : Number(url.port) },
    authority: url.host,
    path: url.pathname === '/' ? DEFAULT_PATH : url.pathname,
  }
}

const MAX_PERCENT = 100

/** In hundredths of a percent, as Istio's randomSamplingPercentage; zero begins no trace. */
export function samplingPercent(): Value<number> {
  return value(
    (node) => {
      const written = node.kind === 'string' ? node.value : node.kind === 'number' ? node.text : '-'
      if (written === '') return { kind: 'unset' }
      const share = /^\d{1,3}(?:\.\d{1,2})?$/.test(written) ? Number(written) : -1
      return share >= 0 && share <= MAX_PERCENT
        ? { kind: 'value', value: share }
        : { kind: 'wrong', message: `is ${JSON.stringify(written)}` }
    },
    'a number from 0.00 to 100.00',
    'percent',
  )
}
