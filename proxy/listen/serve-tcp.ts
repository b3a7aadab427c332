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

/** How it ended, for labels: ztunnel's response flags. */
type Flags = '-' | 'DENY' | 'CONNECT' | 'IDENTITY_ERROR'

export function serveTcp(context: ProxyContext, incoming: Incoming, route: TcpRoute): void {
  const { connections, metrics } = context
  const { stream } = incoming
  const meter = metrics.tcp(incoming.parties)
  const giveUp = new AbortController()
  let upstream: Duplex | undefined
  let verdict: Verdict | undefined
  let closeReason: string | undefined
  let told = { received: 0, sent: 0 }
  const carried = () => carriedBy(incoming, upstream)
  const report = () => {
    const now = carried()
    meter.carried(now.received - told.received, now.sent - told.sent)
    told = now
    return now.received + now.sent
  }
  const close = (reason: string) => {
    closeReason ??= reason
    stream.destroy()
    upstream?.destroy()
    giveUp.abort()
  }
  const live: LiveConnection = {
    ...{ direction: incoming.direction, listener: incoming.listener, protocol: 'tcp' },
    ...{ source: incoming.source, destination: incoming.destination, peer: incoming.peer },
    openedAt: incoming.openedAt,
    rejudge() {
      const closed = route.stillAdmits()
      if (closed !== undefined) return `policy change: ${closed}`
      if (verdict === undefined) return undefined // it is judged by the new policy in a moment
      const again = route.judge()
      if (again.kind === 'allow') return undefined
      verdict = again
      return `policy change: ${denialReason(again)}`
    },
    drain: () => {}, // a stream of bytes has no point at which it could be asked to end
    close,
    report,
  }
  const leave = connections.add(live)
  const end = (flags: Flags, reason: string | undefined) => {
    leave()
    if (upstream !== undefined) report()
    meter.closed(flags)
    const line = { incoming, verdict, flags, reason, carried: carried(), upstream: route.upstream }
    connectionLine(context, line)
  }
  const begin = () => {
    if (stream.destroyed) {
      end(closeReason === undefined ? '-' : 'DENY', closeReason ?? 'the client has gone')
      return
    }
    verdict = route.judge()
    if (verdict.kind === 'deny') {
      stream.destroy() // fails closed: nothing behind has seen the connection
      end('DENY', denialReason(verdict))
      return
    }
    const { permit } = verdict
    stream.once('close', () => giveUp.abort(GONE))
    void connectOn(context, route, giveUp).then(
      (connected) => {
        upstream = connected
        if (stream.destroyed) {
          connected.destroy()
          end(closeReason === undefined ? '-' : 'DENY', closeReason ?? 'the client has gone')
          return
        }
        start(permit, stream, connected, (how) => {
          end(closeReason === undefined ? '-' : 'DENY', closeReason ?? reasonOfEnd(how))
        })
      },
      (error: unknown) => {
        stream.destroy()
        end(flagsOf(error), closeReason ?? reasonOf(error))
      },
    )
  }
  meter.opened()
  if (route.ask === undefined) begin()
  else void route.ask().then(begin)
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
function carriedBy(
  { direction, stream }: Incoming,
  upstream: Duplex | undefined,
): { readonly received: number; readonly sent: number } {
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

function flagsOf(error: unknown): Flags {
  const isIdentity =
    error instanceof IdentityError &&
    (error.code === 'CERTIFICATE_UNTRUSTED' || error.code === 'NOT_AUTHORIZED')
  return isIdentity ? 'IDENTITY_ERROR' : 'CONNECT'
}
