/** What we write is held against OpenTelemetry's own exporter: the same spans from both, as one collector sees them. */
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { expect, test } from 'vitest'
import { encodeSpans } from '../../../proxy/tracing/otlp-json.ts'
import { spanPoster } from '../../../proxy/tracing/post-spans.ts'
import type { Span } from '../../../proxy/tracing/span.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import { startCollector } from './collector.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const ids = { traceId: TRACE, spanId: 'b7ad6b7169203331', parentSpanId: '00f067aa0ba902b7' }

const spans: readonly Span[] = [
  {
    ...{ ...ids, traceState: undefined, service: 'web.shop', name: 'GET', kind: 'client' },
    ...{ startedAt: new Date('2026-01-02T03:04:05.678Z'), durationMs: 1.25 },
    attributes: { 'http.response.status_code': 503, 'steeple.mutual_tls': true, share: 0.5 },
    failure: { type: '503', message: 'no healthy upstream' },
  },
  {
    ...{ ...ids, parentSpanId: undefined, traceState: undefined, service: 'db.shop' },
    ...{ name: 'shop.Cart/Add', kind: 'server', durationMs: 0 },
    startedAt: new Date('2026-01-02T03:04:05.678Z'),
    attributes: { 'url.path': '/ü/\u{1f600}"\\' },
    failure: undefined,
  },
]

/** As a program with OpenTelemetry in it would send the span. */
async function sendByOpenTelemetry(span: Span, url: string) {
  const { traceId, spanId, parentSpanId, failure } = span
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': span.service }),
    idGenerator: { generateTraceId: () => traceId, generateSpanId: () => spanId },
    spanProcessors: [
      new SimpleSpanProcessor({ exporter: new OTLPTraceExporter({ url: `${url}/v1/traces` }) }),
    ],
  })
  const parent = { traceId, spanId: parentSpanId ?? '', traceFlags: TraceFlags.SAMPLED }
  const context =
    parentSpanId === undefined
      ? ROOT_CONTEXT
      : trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true })
  const kind = span.kind === 'client' ? SpanKind.CLIENT : SpanKind.SERVER
  const startMs = span.startedAt.getTime()
  const options = { kind, attributes: span.attributes, startTime: startMs }
  const sent = provider.getTracer('steeple').startSpan(span.name, options, context)
  if (failure !== undefined) {
    sent.setStatus({ code: SpanStatusCode.ERROR, message: failure.message })
  }
  sent.end(startMs + span.durationMs)
  await provider.shutdown()
}

test.each(spans)(
  'the span $name is the same as OpenTelemetry’s own exporter sends it',
  async (span) => {
    using collector = await startCollector()
    await sendByOpenTelemetry(span, collector.url)
    const { port } = collector
    const post = spanPoster({
      endpoint: {
        ...{
          isSecure: false,
          host: '127.0.0.1',
          authority: `127.0.0.1:${port}`,
          path: '/v1/traces',
        },
        address: { kind: 'tcp', host: '127.0.0.1', port },
        url: collector.url,
      },
      ...{ headersFile: undefined, ca: undefined, socketMark: undefined, clock: systemClock },
    })
    await post(encodeSpans([span]), new AbortController().signal)
    const [theirs, ours] = collector.spans
    // What both may write in several ways is compared below.
    const plain = (seen = theirs) => ({ ...seen, attributes: {}, status: {} })
    const {
      droppedAttributesCount,
      events,
      droppedEventsCount,
      links,
      droppedLinksCount,
      ...rest
    } = plain() as Record<string, unknown>
    expect([droppedAttributesCount, droppedEventsCount, droppedLinksCount]).toEqual([0, 0, 0])
    expect([events, links]).toEqual([[], []])
    expect(plain(ours)).toEqual(rest)
    const asText = (attributes = {}) =>
      Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, String(value)]))
    expect(asText(ours?.attributes)).toEqual(asText(theirs?.attributes))
    // Zero is unset, which need not be said.
    expect({ code: 0, ...ours?.status }).toEqual(theirs?.status)
    expect(collector.asked.map(({ url }) => url)).toEqual(['/v1/traces', '/v1/traces'])
  },
)
