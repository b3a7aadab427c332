/**
 * A port where a mesh's proxies ask for certificates: TLS under DNS names of ours, by a certificate of our own CA that
 * is replaced while it serves; callers prove themselves in the call. Each call is counted, logged and, if so configured,
 * audited when it ends.
 */
import { Server, status } from '@grpc/grpc-js'
import type { Log } from '../../log/open-log.ts'
import type { CallEnd, Endpoint } from '../../proto/serve.ts'
import { statusCodeOf } from '../../proto/status.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import type { Loop } from '../../spiffe/running-loops.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { rpcName } from '../../telemetry/rpc-name.ts'
import { type AuditDeps, auditCall } from '../audit/audit-log.ts'
import type { Authorities } from '../ca/authorities.ts'
import type { X509Ca } from '../ca/x509-ca.ts'
import type { Issuer } from '../issue/issuer.ts'
import { openServerSvid, renewServerSvid } from '../issue/server-svid.ts'
import { addressOf, type Caller } from '../listen/caller.ts'
import { drainServer } from '../listen/drain.ts'
import { listenTls } from '../listen/tls-listener.ts'
import { boundCalls } from './calls-at-once.ts'
import { type Facts, factsOf } from './facts.ts'
import { type WhyRefused, whyRefused } from './refusal.ts'
import type { Tally } from './tally.ts'

export interface MeshPortOptions {
  readonly bindAddress: string
  readonly bindPort: number
  /** Of the serving certificate, at least one. */
  readonly dnsNames: readonly string[]
  /** Clients that speak HTTP/2 without having agreed on it. */
  readonly takesNoAlpn: boolean
}

export interface MeshPortDeps {
  readonly trustDomain: TrustDomain
  readonly issuer: Pick<Issuer, 'issueServerX509Svid'>
  readonly x509: Pick<Authorities<X509Ca>, 'signer' | 'onActivate'>
  readonly tally: Tally
  readonly audit: Omit<AuditDeps, 'log'> | undefined
  readonly metrics: Metrics
  readonly clock: Clock
  readonly log: Log
  /** How a call of this port ended. */
  onEnd(error: unknown, why: WhyRefused | undefined): void
}

export interface MeshPort extends AsyncDisposable {
  /** Address and port that were bound. */
  readonly address: string
  readonly port: number
  readonly loops: readonly Loop[]
}

/** A request is a CSR and a token. */
const MAX_RECEIVE_BYTES = 64 * 1024
/** A ztunnel asks for eight at once, a sidecar for one. */
const MAX_STREAMS_PER_CONNECTION = 100
/** A ztunnel has eight under way. */
const CALL_BOUNDS = { perAddress: 64, total: 5_000 }
/** As on the server's own port; connections are ended gently well before the listener's limit for anonymous ones. */
const MAX_CONNECTION_AGE_MS = 3 * 60_000
const MAX_CONNECTION_AGE_GRACE_MS = 90_000

/** @throws IdentityError CONFIG_INVALID when the port cannot be had, UNAVAILABLE while nothing can be signed */
export async function openMeshPort(
  { bindAddress, bindPort, dnsNames, takesNoAlpn }: MeshPortOptions,
  deps: MeshPortDeps,
  addServices: (endpoint: Endpoint<Caller>) => void,
): Promise<MeshPort> {
  const { trustDomain, issuer, x509, clock, log } = deps
  const server = new Server({
    'grpc.max_receive_message_length': MAX_RECEIVE_BYTES,
    'grpc.max_concurrent_streams': MAX_STREAMS_PER_CONNECTION,
    'grpc.max_connection_age_ms': MAX_CONNECTION_AGE_MS,
    'grpc.max_connection_age_grace_ms': MAX_CONNECTION_AGE_GRACE_MS,
    'grpc.enable_channelz': 0,
  })
  const serving = await openServerSvid({
    issueServerX509Svid: (request) => issuer.issueServerX509Svid({ ...request, dnsNames }),
  })
  const listener = await listenTls({
    ...{ bindAddress, bindPort, server, serverSvid: serving, log, clock, takesNoAlpn },
    ...{ trustDomain, adminIds: new Set(), bundleOf: async () => undefined },
    asksForCertificate: false,
    drain: () => drainServer(server, clock),
  })
  const calls = boundCalls(CALL_BOUNDS)
  const entered = new WeakSet<object>()
  addServices({
    server,
    callerOf: listener.callerOf,
    // Who calls is proven within the call, by a token.
    authorize: async (call) => {
      calls.enter(ipOf(call.caller))
      entered.add(call)
    },
    onFailure() {}, // told with the facts, when the call ends
    observe: (method) => {
      const measured = deps.metrics.call(rpcName(method).metric)
      return (end) => {
        const { call } = end
        if (call !== undefined && entered.has(call)) calls.leave(ipOf(call.caller))
        measured(end.error)
        tell(method, end, deps)
      }
    },
  })
  const onFailure = (err: unknown) => log.error({ err }, 'Serving certificate could not be renewed')
  return {
    address: addressOf({ ip: bindAddress, port: listener.port }),
    port: listener.port,
    loops: [(signal) => renewServerSvid({ svid: serving, x509, clock, onFailure }, signal)],
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  }
}

function ipOf(caller: Caller): string {
  return caller.kind === 'unix' ? '' : caller.ip
}

function tell(method: string, end: CallEnd<Caller>, deps: MeshPortDeps): void {
  const { call, error } = end
  const { log, tally, audit } = deps
  const facts = factsOf(call)
  const caller = call?.caller
  const address = caller === undefined || caller.kind === 'unix' ? '' : addressOf(caller)
  const fields = { method, caller_addr: address, ...fieldsOf(facts) }
  if (error instanceof IdentityError && error.code === 'CANCELED') {
    log.debug(fields, 'Call ended by the caller')
  } else if (error === undefined) {
    tally.noteIssued(facts, address)
    log.info(fields, 'Certificate issued')
    deps.onEnd(undefined, undefined)
  } else {
    const why = whyRefused(error)
    tally.noteRefused(facts, address, why)
    logRefusal(log, { ...fields, ...why }, error)
    deps.onEnd(error, why)
  }
  if (audit !== undefined) auditCall(method, end, { ...audit, log })
}

function logRefusal(log: Log, fields: Record<string, unknown>, error: unknown): void {
  if (!(error instanceof IdentityError)) {
    log.error({ ...fields, code: status[status.INTERNAL], err: error }, 'Call failed: a bug')
    return
  }
  const code = statusCodeOf(error)
  const line = { ...fields, code: status[code] }
  if (code === status.UNAVAILABLE) log.error(line, 'Certificate could not be issued')
  else log.warn(line, 'Certificate refused')
}

function fieldsOf({ identity, account, cluster, pod, expiresAt }: Facts): Record<string, unknown> {
  return {
    ...(identity === undefined ? {} : { identity }),
    ...(account === undefined ? {} : { service_account: account }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(pod === undefined ? {} : { pod }),
    ...(expiresAt === undefined ? {} : { expires_at: expiresAt.toISOString() }),
  }
}
