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
import {
  type CollectorEndpoint,
  collectorEndpoint,
  samplingPercent,
} from '../../config/collector.ts'
import { addMistake } from '../../config/mistake.ts'
import { text, textLike } from '../../config/value.ts'
import { isLoopback } from './endpoint.ts'

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
    samplingPercent(),
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
