/**
 * Spans in the JSON form of OTLP, as a collector takes them at /v1/traces, and what it answers. Pure.
 * @see OTLP 1.x — ExportTraceServiceRequest; IDs in hexadecimal, 64-bit numbers as text; ExportTracePartialSuccess
 */
import type { Attributes, Span } from './span.ts'

/** By the numbers of the enumeration. */
const KIND = { server: 2, client: 3 } as const
const STATUS_ERROR = 2
/** Bits 0–7 are those of the traceparent; bit 8 says that bit 9 is meant: whether the parent is in another process. */
const SAMPLED = 0x01
const IS_REMOTE_KNOWN = 0x100
const IS_REMOTE = 0x200

/** One request for all of them, by the workload that each is of. Put together as text, for objects would cost several times that. */
export function encodeSpans(spans: readonly Span[]): string {
  const byService = Map.groupBy(spans, ({ service }) => service)
  const resources = [...byService].map(([service, its]) => {
    const resource = `{"attributes":${encodeAttributes({ 'service.name': service })}}`
    const scope = '{"name":"steeple"}'
    const encoded = its.map(encodeSpan).join(',')
    return `{"resource":${resource},"scopeSpans":[{"scope":${scope},"spans":[${encoded}]}]}`
  })
  return `{"resourceSpans":[${resources.join(',')}]}`
}

function encodeSpan(span: Span): string {
  const { traceId, spanId, parentSpanId, traceState, failure } = span
  const startMs = span.startedAt.getTime()
  const parent = parentSpanId === undefined ? '' : `"parentSpanId":"${parentSpanId}",`
  const state = traceState ? `"traceState":${encodeText(traceState)},` : ''
  const flags = SAMPLED | IS_REMOTE_KNOWN | (parentSpanId === undefined ? 0 : IS_REMOTE)
  const status =
    failure === undefined ? '' : `"code":${STATUS_ERROR},"message":${encodeText(failure.message)}`
  return (
    `{"traceId":"${traceId}","spanId":"${spanId}",${parent}${state}` +
    `"name":${encodeText(span.name)},"kind":${KIND[span.kind]},` +
    `"startTimeUnixNano":"${nanoseconds(startMs)}",` +
    `"endTimeUnixNano":"${nanoseconds(startMs + span.durationMs)}",` +
    `"attributes":${encodeAttributes(span.attributes)},"status":{${status}},"flags":${flags}}`
  )
}

/** Whole microseconds: a number holds no more of them exactly. */
function nanoseconds(ms: number): string {
  return `${Math.round(ms * 1_000)}000`
}

function encodeAttributes(attributes: Attributes): string {
  let text = ''
  for (const key in attributes) {
    const value = attributes[key]
    if (value === undefined) continue
    text += `${text === '' ? '' : ','}{"key":"${key}","value":${encodeValue(value)}}`
  }
  return `[${text}]`
}

function encodeValue(value: string | number | boolean): string {
  switch (typeof value) {
    case 'string':
      return `{"stringValue":${encodeText(value)}}`
    case 'boolean':
      return `{"boolValue":${value}}`
    default:
      return Number.isInteger(value) ? `{"intValue":"${value}"}` : `{"doubleValue":${value}}`
  }
}

const encodeText = (text: string) => JSON.stringify(text.toWellFormed())

/** How many spans of a request the collector did not want, by its answer; one that says nothing wanted all. */
export function rejectedSpans(answer: string, sent: number): number {
  let rejected: unknown
  try {
    rejected = JSON.parse(answer)?.partialSuccess?.rejectedSpans
  } catch {
    return 0
  }
  const count = Number(rejected ?? 0)
  return Number.isInteger(count) && count > 0 ? Math.min(count, sent) : 0
}
