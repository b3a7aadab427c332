/** Spans of the requests that a proxy carries, from the request's head to the collector. Open only where the configuration has a collector. */
import type { Log } from '../../log/open-log.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { createSeriesTable } from '../../telemetry/series.ts'
import type { TracingConfig } from '../config/tracing-keys.ts'
import type { RequestHead } from '../http/exchange.ts'
import { readCaFile } from '../read-ca-file.ts'
import { type BegunSpan, beginSpan } from './begin-span.ts'
import { readCollectorHeaders } from './collector-headers.ts'
import { openSpanExport } from './export-spans.ts'
import { spanPoster } from './post-spans.ts'
import { type EndedRequest, spanOf } from './span.ts'
import type { TraceIds } from './trace-ids.ts'

export interface Tracing extends AsyncDisposable {
  /** @returns undefined when there is nothing to tell and nothing to hand on */
  begin(head: RequestHead): BegunSpan | undefined
  /** Never waits and never throws for what a request held. Reads the head, so it must still be there. */
  end(request: Omit<EndedRequest, 'serviceName'>): void
  /** In Prometheus' text form. */
  metricsText(): string
}

export interface TracingDeps {
  readonly socketMark: number | undefined
  readonly traceIds: TraceIds
  readonly clock: Clock
  readonly log: Log
}

const COUNTER = 'steeple_proxy_spans_total'
const HELP = {
  [COUNTER]: 'Spans that the collector has taken, or that were dropped for it did not.',
} as const
const PERCENT = 100
const CA_KEY = 'proxy.tracing.ca_file'

/** @throws IdentityError CONFIG_INVALID when a file that it names cannot be used */
export async function openTracing(config: TracingConfig, deps: TracingDeps): Promise<Tracing> {
  const { clock, log, socketMark } = deps
  const { endpoint, headersFile, caFile, serviceName } = config
  await readCollectorHeaders(headersFile)
  const ca = caFile === undefined ? undefined : readCaFile(CA_KEY, caFile)
  const table = createSeriesTable(HELP)
  const exported = table.counter(COUNTER, { outcome: 'exported' })
  const dropped = table.counter(COUNTER, { outcome: 'dropped' })
  const spans = openSpanExport({
    post: spanPoster({ endpoint, headersFile, ca, socketMark, clock }),
    counts: { exported: (count) => exported.add(count), dropped: (count) => dropped.add(count) },
    clock,
    log: log.child({ component: 'tracing' }),
  })
  const sampling = { ids: deps.traceIds, share: config.samplingPercent / PERCENT }
  return {
    begin: (head) => beginSpan(head, sampling),
    end: (request) => spans.add(spanOf({ ...request, serviceName })),
    metricsText: table.text,
    [Symbol.asyncDispose]: () => spans[Symbol.asyncDispose](),
  }
}
