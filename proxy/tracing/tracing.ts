/** Spans of the requests that a proxy carries, from the request's head to the collector. Open only where the configuration has a collector. */
import { readFileSync } from 'node:fs'
import type { Log } from '../../log/open-log.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { RandomBytes } from '../../spiffe/random.ts'
import { createSeriesTable } from '../../telemetry/series.ts'
import type { TracingConfig } from '../config/tracing-keys.ts'
import type { RequestHead } from '../http/exchange.ts'
import { type BegunSpan, beginSpan } from './begin-span.ts'
import { readCollectorHeaders } from './collector-headers.ts'
import { openSpanExport } from './export-spans.ts'
import { spanPoster } from './post-spans.ts'
import { type EndedRequest, spanOf } from './span.ts'
import { traceIds } from './trace-ids.ts'

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
  readonly randomBytes: RandomBytes
  readonly clock: Clock
  readonly log: Log
}

const COUNTER = 'steeple_proxy_spans_total'
const PERCENT = 100

/** @throws IdentityError CONFIG_INVALID when a file that it names cannot be used */
export async function openTracing(config: TracingConfig, deps: TracingDeps): Promise<Tracing> {
  const { clock, log, randomBytes, socketMark } = deps
  const { endpoint, headersFile, caFile, serviceName } = config
  await readCollectorHeaders(headersFile)
  const ca = caFile === undefined ? undefined : readCa(caFile)
  const table = createSeriesTable()
  const exported = table.counter(COUNTER, { outcome: 'exported' })
  const dropped = table.counter(COUNTER, { outcome: 'dropped' })
  const spans = openSpanExport({
    post: spanPoster({ endpoint, headersFile, ca, socketMark, clock }),
    counts: { exported: (count) => exported.add(count), dropped: (count) => dropped.add(count) },
    clock,
    log: log.child({ component: 'tracing' }),
  })
  const sampling = { ids: traceIds(randomBytes), share: config.samplingPercent / PERCENT }
  return {
    begin: (head) => beginSpan(head, sampling),
    end: (request) => spans.add(spanOf({ ...request, serviceName })),
    metricsText: table.text,
    [Symbol.asyncDispose]: () => spans[Symbol.asyncDispose](),
  }
}

function readCa(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const why = `cannot read proxy.tracing.ca_file ${JSON.stringify(path)}: ${reasonOf(error)}`
    throw new IdentityError('CONFIG_INVALID', why, { cause: error })
  }
}
