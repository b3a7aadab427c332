/**
 * One request as a span tells it, in the words of OpenTelemetry's conventions for HTTP and RPC, and which policy decided in our own.
 * Pure. Of the path the query stays out, as in the access log, for it may carry tokens. Of the headers the host, x-request-id and
 * tracestate are told, and of gRPC its status; no other header, and nothing of bodies. What a caller wrote is held only up to its bound.
 * @see OpenTelemetry semantic conventions — HTTP spans (stable), RPC spans
 */
import { type Address, showAddress } from '../../config/address.ts'
import type { RuleName, Verdict } from '../../policy/verdict.ts'
import type { ExchangeRecord, RequestHead } from '../http/exchange.ts'
import type { Incoming } from '../listen/incoming.ts'
import { pathWithoutQuery, requestIdOf } from '../telemetry/access-lines.ts'
import type { Party } from '../telemetry/parties.ts'
import type { BegunSpan } from './begin-span.ts'
import { heldText } from './held-text.ts'

/** Names are ours and need no escape; values may be a caller's. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

export interface Span extends Omit<BegunSpan, 'edits' | 'isSampled'> {
  /** Of the workload that the proxy stands for, as Istio writes it. */
  readonly service: string
  readonly name: string
  /** `client`: on the way out; `server`: on the way in. */
  readonly kind: 'client' | 'server'
  readonly startedAt: Date
  readonly durationMs: number
  /** Those that are undefined do not apply. */
  readonly attributes: Attributes
  readonly failure: Failure | undefined
}

export interface Failure {
  /** One of few values. */
  readonly type: string
  /** Empty when the type says it all. */
  readonly message: string
}

export interface EndedRequest {
  readonly begun: BegunSpan
  readonly head: RequestHead
  readonly record: ExchangeRecord
  readonly incoming: Incoming
  readonly upstream: Address
  /** Undefined: the name of the workload and its namespace. */
  readonly serviceName: string | undefined
}

export function spanOf(request: EndedRequest): Span {
  const { begun, head, record, incoming, serviceName } = request
  const isClient = incoming.direction === 'outbound'
  const { source, destination } = incoming.parties
  const [self, peer] = isClient ? [source, destination] : [destination, source]
  const method = head.grpc ? rpcOf(head.path) : undefined
  const failure = failureOf(record, isClient)
  const { traceId, spanId, parentSpanId, traceState } = begun
  return {
    ...{ traceId, spanId, parentSpanId, traceState },
    service: serviceName ?? serviceOf(self),
    name: method === undefined ? head.method : `${method.service}/${method.name}`,
    kind: isClient ? 'client' : 'server',
    startedAt: record.startedAt,
    durationMs: record.durationMs,
    attributes: {
      ...httpAttributes(request),
      ...(head.grpc ? rpcAttributes(method, record) : NONE),
      'error.type': failure?.type,
      'spiffe.self_id': self.id,
      'spiffe.peer_id': peer.id,
      'steeple.listener': incoming.listener,
      'steeple.mutual_tls': incoming.parties.isMutualTls,
      'steeple.request_id': heldText(requestIdOf(record)),
      'steeple.response_flags': record.flags.join(',') || undefined,
      ...verdictAttributes(record.judgement?.verdict),
    },
    failure,
  }
}

const NONE: Attributes = {}
const UNKNOWN = 'unknown'

/** As Istio names a proxy: by its app or workload, and the namespace. */
function serviceOf({ app, workload, namespace }: Party): string {
  return `${app ?? workload ?? UNKNOWN}.${namespace ?? UNKNOWN}`
}

function httpAttributes({ head, record, incoming, upstream }: EndedRequest): Attributes {
  const { facts, parties, direction } = incoming
  const isClient = direction === 'outbound'
  // Each of them is made from the bytes anew when it is asked for.
  const { path, authority } = head
  const [, host, port] = AUTHORITY.exec(authority) ?? []
  const peerPort = upstream.kind === 'tcp' ? upstream.port : undefined
  return {
    'http.request.method': head.method,
    'url.path': heldText(pathWithoutQuery(path), path),
    'url.scheme': parties.isMutualTls ? 'https' : 'http',
    'http.response.status_code': record.status === 0 ? undefined : record.status,
    'server.address': heldText(host, authority),
    'server.port': port === undefined ? undefined : Number(port),
    'client.address': isClient ? undefined : facts.remoteIp,
    'network.peer.address': isClient ? hostOf(upstream) : facts.sourceIp,
    'network.peer.port': isClient ? peerPort : undefined,
    'network.protocol.name': 'http',
    'network.protocol.version': head.version === 'HTTP/2' ? '2' : head.version.slice(5),
  }
}

const AUTHORITY = /^(\[[^\]]*\]|[^:]+)(?::(\d{1,5}))?$/

function hostOf(address: Address): string {
  return address.kind === 'tcp' ? address.host : showAddress(address)
}

interface Rpc {
  readonly service: string
  readonly name: string
}

/** gRPC's paths name what is called; one of another shape names nothing. */
const RPC = /^\/([A-Za-z_][\w.]{0,254})\/([A-Za-z_]\w{0,127})$/

function rpcOf(path: string): Rpc | undefined {
  const [, service, name] = RPC.exec(path) ?? []
  return service === undefined || name === undefined ? undefined : { service, name }
}

function rpcAttributes(method: Rpc | undefined, { grpcStatus }: ExchangeRecord): Attributes {
  return {
    'rpc.system': 'grpc',
    'rpc.service': method?.service,
    'rpc.method': method?.name,
    'rpc.grpc.status_code': grpcStatus,
  }
}

/** Statuses of gRPC that are the server's fault: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS. */
const SERVER_FAULTS: ReadonlySet<number> = new Set([2, 4, 12, 13, 14, 15])

/** A server's span fails by what is its own fault; a client's by whatever it did not want. */
function failureOf(record: ExchangeRecord, isClient: boolean): Failure | undefined {
  const { status, grpcStatus, flags, details, head } = record
  const message = details === 'via_upstream' ? '' : heldText(details)
  if (status === 0) return { type: flags[0] ?? 'no_response', message }
  if (status >= (isClient ? 400 : 500)) return { type: String(status), message }
  // Cut off after its answer had begun.
  if (flags[0] !== undefined) return { type: flags[0], message }
  if (head?.grpc !== true || grpcStatus === undefined || grpcStatus === 0) return undefined
  return isClient || SERVER_FAULTS.has(grpcStatus)
    ? { type: String(grpcStatus), message }
    : undefined
}

function verdictAttributes(verdict: Verdict | undefined): Attributes {
  if (verdict === undefined) return NONE
  const { kind, why, by, audited, shadow } = verdict
  return {
    'steeple.verdict': kind,
    'steeple.verdict_reason': why,
    'steeple.policy': by === undefined ? undefined : nameOf(by),
    'steeple.rule': by?.rule,
    'steeple.audited': audited.length === 0 ? undefined : audited.map(nameOf).join(','),
    'steeple.dry_run_deny': shadow.deny?.result,
    'steeple.dry_run_allow': shadow.allow?.result,
  }
}

const nameOf = ({ namespace, policy }: RuleName) => `${namespace}/${policy}`
