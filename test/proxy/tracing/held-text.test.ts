import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readHead } from '../../../proxy/http1/read-head.ts'
import { newRequestHead } from '../../../proxy/http1/request-head.ts'
import { requestView } from '../../../proxy/http1/request-view.ts'
import { readRequest } from '../../../proxy/http2/request-headers.ts'
import type { Incoming } from '../../../proxy/listen/incoming.ts'
import { strangerParty } from '../../../proxy/telemetry/parties.ts'
import { openSpanExport } from '../../../proxy/tracing/export-spans.ts'
import { heldText, MAX_TEXT } from '../../../proxy/tracing/held-text.ts'
import { spanOf } from '../../../proxy/tracing/span.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { memoryLog } from '../../fakes/memory-log.ts'

const BOUNDS = { headBytes: 60 * 1024, headers: 100 }
const LONG = 50_000
const SPANS = 1_000
const MIB = 1024 * 1024

/** Bytes that live after all garbage is gone; texts outside of the engine's heap count. */
function bytesAlive(): number {
  setFlagsFromString('--expose-gc')
  // Cast: what the flag above exposes.
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const party = strangerParty(parseSpiffeId('spiffe://example.org/ns/shop/sa/db'))
// Cast: of a connection no more is asked for a span.
const incoming = {
  ...{ direction: 'inbound', listener: 'web' },
  facts: { sourceIp: '10.0.0.1', remoteIp: '10.0.0.1' },
  parties: { reporter: 'destination', source: party, destination: party, isMutualTls: true },
} as Incoming

interface Asked {
  readonly path: string
  readonly host: string
  readonly id: string
}

/** The head as the listener's own reader shows it, with texts made from bytes. */
function readHttp1({ path, host, id }: Asked) {
  const head = newRequestHead(BOUNDS)
  const bytes = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nX-Request-Id: ${id}\r\n\r\n`
  expect(readHead(head, Buffer.from(bytes), 0)).toBeGreaterThan(0)
  return requestView(head)
}

function readHttp2({ path, host, id }: Asked) {
  const raw = [':method', 'GET', ':path', path, ':authority', host, 'x-request-id', id]
  // Texts made from bytes, as they come from the session.
  const read = readRequest(raw.map((text) => Buffer.from(text).toString('latin1')))
  if (read.kind === 'refused') throw new Error(read.reason)
  return read.head
}

function spanFor(head: ReturnType<typeof readHttp1>) {
  return spanOf({
    begun: {
      ...{ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' },
      ...{ parentSpanId: undefined, traceState: undefined, isSampled: true },
      edits: { path: undefined, remove: [], add: [] },
    },
    record: {
      ...{ head, judgement: undefined, status: 200, grpcStatus: undefined, flags: [] },
      ...{ bytesReceived: 0, bytesSent: 0, startedAt: new Date(0), durationMs: 1 },
      details: 'via_upstream',
    },
    ...{ head, incoming, serviceName: undefined },
    upstream: { kind: 'tcp', host: '10.0.0.9', port: 9000 },
  })
}

const short: Asked = { path: '/a', host: 'db', id: 'one' }
const long = 'a'.repeat(LONG)

test.each([
  ['a long path', { ...short, path: `/${long}` }],
  ['a short path with a long query', { ...short, path: `/a/short/path?${long}` }],
  ['a long host', { ...short, host: `${long}:8080` }],
  ['a long request ID', { ...short, id: long }],
])('spans that wait hold no more of %s than they tell', async (_, asked) => {
  const { log } = memoryLog()
  const spans = openSpanExport({
    post: async () => ({ kind: 'away', reason: 'connect ECONNREFUSED' }),
    counts: { exported() {}, dropped() {} },
    ...{ clock: new FakeClock(), log },
  })
  const before = bytesAlive()
  for (let at = 0; at < SPANS / 2; at += 1) {
    spans.add(spanFor(readHttp1(asked)))
    spans.add(spanFor(readHttp2(asked)))
  }
  const grown = bytesAlive() - before
  await spans[Symbol.asyncDispose]()
  // Whole texts would be 48 MiB.
  expect(grown / MIB).toBeLessThan(10)
})

test('a span tells the beginning of each text that is too long, and all of one that is not', () => {
  const cut = 'a'.repeat(MAX_TEXT)
  const { attributes } = spanFor(readHttp1({ path: `/${cut}b`, host: 'db:80', id: `${cut}b` }))
  expect(attributes).toMatchObject({
    ...{ 'url.path': `/${cut.slice(1)}`, 'server.address': 'db', 'server.port': 80 },
    'steeple.request_id': cut,
  })
})

test('a pair of surrogates is told whole or not at all', () => {
  const before = 'a'.repeat(MAX_TEXT - 1)
  expect(heldText(`${before}😀 and more`)).toBe(before)
  expect(heldText(`${before.slice(1)}😀 and more`)).toBe(`${before.slice(1)}😀`)
})

test('what is told of any text is its beginning, well formed if the text is', () => {
  const text = fc.string({ unit: 'binary', maxLength: 2 * MAX_TEXT, size: 'max' })
  fc.assert(
    fc.property(text, fc.nat(2 * MAX_TEXT), (whole, length) => {
      const part = whole.slice(0, length).toWellFormed()
      const held = heldText(part, whole)
      expect(part.startsWith(held)).toBe(true)
      expect(held.length).toBeGreaterThanOrEqual(Math.min(part.length, MAX_TEXT - 1))
      expect(held.length).toBeLessThanOrEqual(MAX_TEXT)
      expect(held.isWellFormed()).toBe(true)
    }),
  )
})

test('a text that did not come stays away', () => {
  expect(heldText(undefined, 'whatever it was a part of')).toBeUndefined()
})
