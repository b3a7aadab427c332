/**
 * Keys of the spans that the proxy exports: where to, how many, under which name. Without the block nothing is exported and headers
 * of traces go on untouched. Fails closed: headers with secrets go over TLS, or to this very host.
 */
import {
  optional,
  placeOf,
  type Read,
  refine,
  required,
  section,
  withDefault,
} from '../../config/check.ts'
import { addMistake } from '../../config/mistake.ts'
import { text, textLike, type Value, value } from '../../config/value.ts'
import { isLoopback } from './endpoint.ts'

export interface CollectorEndpoint {
  readonly isSecure: boolean
  /** Without brackets. */
  readonly host: string
  readonly address: { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /** For the header Host. */
  readonly authority: string
  readonly path: string
}

export interface TracingConfig {
  readonly endpoint: CollectorEndpoint
  /** Of the traces that begin at this proxy, from 0 to 100. */
  readonly samplingPercent: number
  /** Undefined: the name of the workload and its namespace. */
  readonly serviceName: string | undefined
  readonly headersFile: string | undefined
  /** PEM file; undefined: the authorities that Node comes with. */
  readonly caFile: string | undefined
}

/** Where OTLP's collectors take traces. */
const DEFAULT_PATH = '/v1/traces'
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 }

function collectorEndpoint(): Value<CollectorEndpoint> {
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
    isSecure: url.protocol === 'https:',
    host,
    address: { kind: 'tcp', host, port: url.port === '' ? standard : Number(url.port) },
    authority: url.host,
    path: url.pathname === '/' ? DEFAULT_PATH : url.pathname,
  }
}

const MAX_PERCENT = 100

/** In hundredths of a percent, as Istio's randomSamplingPercentage; zero begins no trace. */
function percent(): Value<number> {
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

/** As a resource's attribute: no controls. */
const SERVICE_NAME = /^[^\p{Cc}]{1,255}$/u

const keys = section({
  ca_file: optional(text('a path'), 'PEM file of CAs that an https collector is trusted by'),
  headers_file: optional(
    text('a path'),
    'file of lines such as authorization: Bearer …, sent to the collector and read anew each time',
  ),
  otlp_endpoint: required(collectorEndpoint(), 'collector that takes OTLP over HTTP, in JSON'),
  sampling: withDefault(
    percent(),
    '1',
    'share of the traces that begin here and are kept; a caller’s own decision holds',
  ),
  service_name: optional(
    textLike(SERVICE_NAME, 'a name of at most 255 characters'),
    'service.name of the spans; app or workload, a dot and the namespace when left out',
  ),
})

export const tracing = refine(keys, (read, { report }) => {
  const { otlp_endpoint: endpoint, headers_file: headers, ca_file: ca } = read
  if (endpoint === undefined || endpoint.isSecure) return {}
  if (ca !== undefined) {
    const message = 'ca_file has no use where otlp_endpoint is not https'
    addMistake(report, placeOf(read, 'ca_file'), message, 'it to be left out')
  }
  if (headers !== undefined && !isLoopback(endpoint.host)) {
    const message = `headers_file would go to ${endpoint.host} in plaintext`
    addMistake(report, placeOf(read, 'headers_file'), message, 'https, or a loopback address')
  }
  return {}
})

export function tracingConfig(
  read: Read<(typeof keys)['keys']> | undefined,
): TracingConfig | undefined {
  if (read === undefined) return undefined
  return {
    endpoint: read.otlp_endpoint,
    samplingPercent: read.sampling,
    serviceName: read.service_name,
    headersFile: read.headers_file,
    caFile: read.ca_file,
  }
}
