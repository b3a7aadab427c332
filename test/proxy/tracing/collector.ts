/** A collector of OTLP over HTTP that keeps what it was sent, and answers as the test says. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

export interface SeenSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly traceState?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly status: { readonly code?: number; readonly message?: string }
  readonly flags: number
  /** Of the resource. */
  readonly service: string
  readonly attributes: Readonly<Record<string, unknown>>
}

interface Pair {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

/** As OTLP's JSON says it. */
export interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Pair[] }
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<SeenSpan, 'service' | 'attributes'> & {
        readonly attributes: readonly Pair[]
      })[]
    }[]
  }[]
}

const takeAll = (response: ServerResponse) => void response.end('{}')

/** @param tls undefined: plain HTTP */
export async function startCollector(
  tls?: { readonly key: string; readonly cert: string },
  answer: (response: ServerResponse) => void = takeAll,
) {
  const spans: SeenSpan[] = []
  const asked: { readonly url: string | undefined; readonly headers: IncomingHttpHeaders }[] = []
  let next = answer
  const server = tls === undefined ? createServer() : createTlsServer(tls)
  server.on('request', async (request, response) => {
    const sent = (await json(request)) as ExportRequest // cast: whatever it is, the test sees it
    asked.push({ url: request.url, headers: request.headers })
    spans.push(...spansIn(sent))
    next(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // cast: it listens on TCP
  return {
    ...{ spans, asked, port, url: `http${tls === undefined ? '' : 's'}://127.0.0.1:${port}` },
    answerWith(other: (response: ServerResponse) => void) {
      next = other
    },
    [Symbol.dispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}

export function spansIn({ resourceSpans }: ExportRequest): SeenSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        ...span,
        service: String(plain(resource.attributes)['service.name']),
        attributes: plain(span.attributes),
      })),
    ),
  )
}

function plain(pairs: readonly Pair[]): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, Object.values(value)[0]]))
}
