/**
 * One TCP connection from its verdict to its end: judged, connected on, relayed, and told of in metrics and in the access
 * log. Entered among the open connections before it is judged, so that no change of policy is missed.
 */
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Permit, Verdict } from '../../policy/verdict.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { LiveConnection } from '../enforce/connections.ts'
import { type RelayEnd, relay } from '../forward/relay.ts'
import type { ProxyContext } from '../proxy.ts'
import type { ConnectionFlag } from '../telemetry/access-fields.ts'
import { connectionLine, denialReason } from '../telemetry/access-lines.ts'
import type { Incoming } from './incoming.ts'

export interface TcpRoute {
  /** Asks external providers before the first judgement; undefined where nobody is to be asked. Never rejects. */
  readonly ask?: (() => Promise<void>) | undefined
  /** Asked now, and again after every change. */
  judge(): Verdict
  /** Why it may not go on whatever policy says of it; asked after every change. */
  stillAdmits(): string | undefined
  /** @throws IdentityError or the system's error; `signal` aborts when the client has gone or it takes too long */
  connect(signal: AbortSignal): Promise<Duplex>
  /** For logs, `host:port`. */
  readonly upstream: string
}

/** One for all: an abort without a reason makes an exception each time, stack and all. */
const GONE = new IdentityError('CANCELED', 'the client has gone')

/** Bytes of the application's. */
interface Carried {
  readonly received: number
  readonly sent: number
}

type TcpMeter = ReturnType<ProxyContext['metrics']['tcp']>

/** One connection, as far as it has come. */
interface Serving {
  readonly context: ProxyContext
  readonly incoming: Incoming
  readonly route: TcpRoute
  readonly meter: TcpMeter
  readonly giveUp: AbortController
  upstream: Duplex | undefined
  verdict: Verdict | undefined
  /** Why it was closed from outside. */
  closeReason: string | undefined
  /** What the meter has been told of. */
  told: Carried
}

export function serveTcp(context: ProxyContext, incoming: Incoming, route: TcpRoute): void {
  const serving: Serving = {
    ...{ context, incoming, route, meter: context.metrics.tcp(incoming.parties) },
    ...{ giveUp: new AbortController(), upstream: undefined, verdict: undefined },
    ...{ closeReason: undefined, told: { received: 0, sent: 0 } },
  }
  const leave = context.connections.add(liveOf(serving))
  const onEnd: OnEnd = (flags, reason) => {
    leave()
    if (serving.upstream !== undefined) report(serving)
    serving.meter.closed(flags)
    const { verdict, upstream } = serving
    const carried = carriedBy(incoming, upstream)
    connectionLine(context, { incoming, verdict, flags, reason, carried, upstream: route.upstream })
  }
  serving.meter.opened()
  if (route.ask === undefined) begin(serving, onEnd)
  else void route.ask().then(() => begin(serving, onEnd))
}

type OnEnd = (flags: ConnectionFlag, reason: string | undefined) => void

function liveOf(serving: Serving): LiveConnection {
  const { incoming, route } = serving
  return {
    ...{ direction: incoming.direction, listener: incoming.listener, protocol: 'tcp' },
    ...{ source: incoming.source, destination: incoming.destination, peer: incoming.peer },
    openedAt: incoming.openedAt,
    rejudge() {
      const closed = route.stillAdmits()
      if (closed !== undefined) return `policy change: ${closed}`
      if (serving.verdict === undefined) return undefined // judged by the new policy in a moment
      const again = route.judge()
      if (again.kind === 'allow') return undefined
      serving.verdict = again
      return `policy change: ${denialReason(again)}`
    },
    drain: () => {}, // a stream of bytes has no point at which it could be asked to end
    close(reason) {
      serving.closeReason ??= reason
      incoming.stream.destroy()
      serving.upstream?.destroy()
      serving.giveUp.abort()
    },
    report: () => report(serving),
  }
}

/** Tells the meter what was carried since it was told last. @returns all that was carried, in bytes */
function report(serving: Serving): number {
  const now = carriedBy(serving.incoming, serving.upstream)
  serving.meter.carried(now.received - serving.told.received, now.sent - serving.told.sent)
  serving.told = now
  return now.received + now.sent
}

function begin(serving: Serving, onEnd: OnEnd): void {
  const { context, incoming, route, giveUp } = serving
  const { stream } = incoming
  if (stream.destroyed) {
    endClosed(serving, onEnd, GONE.message)
    return
  }
  serving.verdict = route.judge()
  if (serving.verdict.kind === 'deny') {
    stream.destroy() // fails closed: nothing behind has seen the connection
    context.metrics.failed(incoming.parties, 'DENY')
    onEnd('DENY', denialReason(serving.verdict))
    return
  }
  const { permit } = serving.verdict
  stream.once('close', () => giveUp.abort(GONE))
  void connectOn(context, route, giveUp).then(
    (upstream) => {
      serving.upstream = upstream
      if (stream.destroyed) {
        upstream.destroy()
        endClosed(serving, onEnd, GONE.message)
        return
      }
      start(permit, stream, upstream, (how) => endClosed(serving, onEnd, reasonOfEnd(how)))
    },
    (error: unknown) => {
      if (stream.destroyed) {
        endClosed(serving, onEnd, GONE.message)
        return
      }
      stream.destroy()
      const flags = flagsOf(error)
      context.metrics.failed(incoming.parties, flags)
      onEnd(flags, reasonOf(error))
    },
  )
}

/** @param reason when nobody closed it from outside */
function endClosed({ closeReason }: Serving, onEnd: OnEnd, reason: string | undefined): void {
  onEnd(closeReason === undefined ? '-' : 'DENY', closeReason ?? reason)
}

function start(
  permit: Permit,
  stream: Duplex,
  upstream: Duplex,
  onEnd: (how: RelayEnd) => void,
): void {
  if (upstream instanceof Socket) upstream.setNoDelay(true)
  relay(permit, stream, upstream, onEnd)
}

/** @throws what the route throws; DEADLINE_EXCEEDED when it takes too long */
export async function connectOn<T extends Duplex>(
  { deadlines, connectTimeoutMs }: ProxyContext,
  route: { readonly upstream: string; connect(signal: AbortSignal): Promise<T> },
  giveUp: AbortController,
): Promise<T> {
  let isLate = false
  const deadline = deadlines.add(() => {
    isLate = true
    giveUp.abort()
  })
  deadlines.set(deadline, connectTimeoutMs)
  try {
    return await route.connect(giveUp.signal)
  } catch (error) {
    if (!isLate) throw error
    const why = `no connection to ${route.upstream} within ${connectTimeoutMs / 1000} s`
    throw new IdentityError('DEADLINE_EXCEEDED', why, { cause: error })
  } finally {
    deadlines.delete(deadline)
  }
}

/** Counted where the bytes are the application's: TLS counts its own. */
function carriedBy({ direction, stream }: Incoming, upstream: Duplex | undefined): Carried {
  // The other end may be a stream of HTTP/2, which counts nothing.
  if (direction === 'outbound') {
    return stream instanceof Socket
      ? { received: stream.bytesRead, sent: stream.bytesWritten }
      : { received: 0, sent: 0 }
  }
  return upstream instanceof Socket
    ? { received: upstream.bytesWritten, sent: upstream.bytesRead }
    : { received: 0, sent: 0 }
}

function reasonOfEnd(how: RelayEnd): string | undefined {
  if (how.kind === 'finished') return undefined
  return `the ${how.by} was lost${how.error === undefined ? '' : `: ${how.error.message}`}`
}

function flagsOf(error: unknown): ConnectionFlag {
  const isIdentity =
    error instanceof IdentityError &&
    (error.code === 'CERTIFICATE_UNTRUSTED' || error.code === 'NOT_AUTHORIZED')
  return isIdentity ? 'IDENTITY_ERROR' : 'CONNECT'
}
