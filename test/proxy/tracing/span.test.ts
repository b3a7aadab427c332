import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Deny } from '../../../policy/verdict.ts'
import type { ExchangeRecord, RequestHead } from '../../../proxy/http/exchange.ts'
import type { Incoming } from '../../../proxy/listen/incoming.ts'
import { strangerParty } from '../../../proxy/telemetry/parties.ts'
import { encodeSpans } from '../../../proxy/tracing/otlp-json.ts'
import { spanOf } from '../../../proxy/tracing/span.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'

const head: RequestHead = {
  ...{ version: 'HTTP/1.1', method: 'GET', path: '/a/b?token=secret#part', authority: 'db:8080' },
  ...{ grpc: false, headerLines: () => [], lines: () => [] },
}
const record: ExchangeRecord = {
  ...{ head, judgement: undefined, status: 200, grpcStatus: undefined },
  ...{ bytesReceived: 0, bytesSent: 0, startedAt: new Date(1_000), durationMs: 5 },
  ...{ flags: [], details: 'via_upstream' },
}
const incoming: Pick<Incoming, 'direction' | 'listener' | 'facts' | 'parties'> = {
  direction: 'inbound',
  listener: 'web',
  facts: {
    ...{ peer: undefined, sourceIp: '10.0.0.1', remoteIp: '1.2.3.4' },
    ...{ destinationIp: '10.0.0.2', destinationPort: 8080, sni: undefined },
  },
  parties: {
    reporter: 'destination',
    source: strangerParty(parseSpiffeId('spiffe://example.org/ns/shop/sa/web')),
    destination: strangerParty(parseSpiffeId('spiffe://example.org/ns/shop/sa/db')),
    isMutualTls: true,
  },
}

interface Change {
  readonly head?: Partial<RequestHead>
  readonly record?: Partial<ExchangeRecord>
  readonly direction?: Incoming['direction']
  readonly serviceName?: string
}

function spanWith(change: Change = {}) {
  const changed = { ...head, ...change.head }
  return spanOf({
    begun: {
      ...{ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' },
      ...{ parentSpanId: undefined, traceState: undefined, isSampled: true },
      edits: { path: undefined, remove: [], add: [] },
    },
    head: changed,
    record: { ...record, head: changed, ...change.record },
    // Cast: no stream is looked at.
    incoming: { ...incoming, direction: change.direction ?? 'inbound' } as Incoming,
    upstream: { kind: 'tcp', host: '10.0.0.9', port: 9000 },
    serviceName: change.serviceName,
  })
}

test('a span tells what was asked without what may be secret in it', () => {
  const { attributes } = spanWith()
  expect(attributes).toMatchObject({
    ...{ 'url.path': '/a/b', 'server.address': 'db', 'server.port': 8080 },
    ...{ 'client.address': '1.2.3.4', 'network.peer.address': '10.0.0.1', 'url.scheme': 'https' },
  })
  expect(encodeSpans([spanWith()])).not.toMatch(/secret|token|part/)
})

test('a span on the way out tells whom it went to', () => {
  expect(spanWith({ direction: 'outbound' })).toMatchObject({
    kind: 'client',
    attributes: { 'network.peer.address': '10.0.0.9', 'network.peer.port': 9000 },
  })
})

test('the service is the workload that the proxy stands for, or what the configuration calls it', () => {
  expect(spanWith().service).toBe('unknown.shop')
  expect(spanWith({ serviceName: 'mine' }).service).toBe('mine')
})

test('a denial names the policy and the rule', () => {
  const verdict: Deny = {
    ...{ kind: 'deny', why: 'deny-rule', by: { namespace: 'shop', policy: 'no', rule: 3 } },
    ...{ audited: [{ namespace: 'shop', policy: 'seen', rule: 0 }] },
    shadow: { allow: undefined, deny: { result: 'allowed', by: undefined } },
  }
  const answer = { status: 403, headers: [], body: '', details: 'rbac_access_denied' }
  const judgement = { kind: 'answer', verdict, answer } as const
  const span = spanWith({ record: { status: 403, judgement, details: answer.details } })
  expect(span).toMatchObject({
    failure: undefined,
    attributes: {
      ...{ 'steeple.verdict': 'deny', 'steeple.verdict_reason': 'deny-rule' },
      ...{ 'steeple.policy': 'shop/no', 'steeple.rule': 3, 'steeple.audited': 'shop/seen' },
      'steeple.dry_run_deny': 'allowed',
    },
  })
})

test.each([
  ['no answer at all', { status: 0, flags: ['DC'], details: 'gone' }, 'DC', 'DC'],
  ['a head that was refused unanswered', { status: 0 }, 'no_response', 'no_response'],
  ['a body that was cut off', { flags: ['UC'], details: 'cut' }, 'UC', 'UC'],
  ['503', { status: 503, flags: ['UF'], details: 'no connection' }, '503', '503'],
  ['404', { status: 404 }, undefined, '404'],
  ['200', {}, undefined, undefined],
] as const)('%s fails as the conventions say', (_, change, onServer, onClient) => {
  expect(spanWith({ record: change }).failure?.type).toBe(onServer)
  expect(spanWith({ record: change, direction: 'outbound' }).failure?.type).toBe(onClient)
})

test.each([
  [0, undefined, undefined],
  [5, undefined, '5'],
  [7, undefined, '7'],
  [13, '13', '13'],
  [14, '14', '14'],
])('the gRPC status %i fails as the conventions say', (grpcStatus, onServer, onClient) => {
  const change = { head: { grpc: true, path: '/shop.Cart/Add' }, record: { grpcStatus } }
  expect(spanWith(change).failure?.type).toBe(onServer)
  expect(spanWith({ ...change, direction: 'outbound' }).failure?.type).toBe(onClient)
})

test.each(['/', '/a', '/a/b/c', '/a b/c', '/9/x', `/${'a'.repeat(300)}/b`, '/a/b?c', '*', ''])(
  'the path %j of gRPC names no method, and makes no name of a span',
  (path) => {
    const { name, attributes } = spanWith({ head: { grpc: true, path } })
    expect(name).toBe('GET')
    expect(attributes).toMatchObject({ 'rpc.system': 'grpc', 'rpc.method': undefined })
  },
)

test('whatever a caller writes, the spans are JSON and bounded', () => {
  const text = fc.string({ unit: 'binary', maxLength: 3_000 })
  fc.assert(
    fc.property(text, text, text, fc.boolean(), (path, authority, id, grpc) => {
      const headerLines = () => [id]
      const span = spanWith({ head: { path: `/${path}`, authority, grpc, headerLines } })
      const written = encodeSpans([span])
      expect(JSON.parse(written).resourceSpans).toHaveLength(1)
      expect(written.length).toBeLessThan(30_000)
    }),
  )
})
