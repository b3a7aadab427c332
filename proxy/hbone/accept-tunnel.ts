/**
 * One CONNECT from its request to its end. It is answered 200 only when its target is the workload's, policy does not deny
 * it whatever it carries, and the workload has taken the connection; then its bytes are served as those of any inbound
 * connection: looked at where the port may carry anything, judged by policy, request by request where they are requests.
 *
 * @see HBONE — 200, 400, 401, 503
 */
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { showAddress } from '../../config/address.ts'
import type { Verdict } from '../../policy/verdict.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { VerifiedPeer } from '../../workload/tls/judge-peer.ts'
import { plainIp, showEndpoint, sourceOf } from '../listen/addresses.ts'
import { lookAtPlaintext } from '../listen/first-bytes.ts'
import type { Incoming } from '../listen/incoming.ts'
import { connectOn, serveTcp, type TcpRoute } from '../listen/serve-tcp.ts'
import type { Destination } from '../listen/workload-destinations.ts'
import { connectionLine, denialReason, refusalLine } from '../telemetry/access-lines.ts'
import { callTo } from '../telemetry/parties.ts'
import { readConnect, refusalOf, type TunnelTarget } from './connect-request.ts'
import type { HboneOptions } from './listen-hbone.ts'
import { baggageOf } from './peer-headers.ts'
import { tellCuts } from './tell-cuts.ts'

type TcpJudge = Pick<TcpRoute, 'ask' | 'judge'>

/** The connection that the tunnel came on. */
export interface Carrier {
  readonly socket: TLSSocket
  readonly peer: VerifiedPeer
}

/** Never throws. */
export function acceptTunnel(
  options: HboneOptions,
  carrier: Carrier,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): void {
  stream.on('error', () => {}) // what follows from it is done on close
  const { config, destinations, ownPorts } = options
  const asked = readConnect(headers[':method'], headers[':authority'])
  if (asked.kind === 'refused') {
    refuse(options, carrier, stream, asked.reason)
    return
  }
  const { target } = asked
  const destinationIp = plainIp(carrier.socket.localAddress)
  const { addresses } = config
  const reason = refusalOf(target, { destinationIp, addresses, ownPorts })
  if (reason !== undefined) {
    refuse(options, carrier, stream, reason)
    return
  }
  const incoming = incomingOf(options, carrier, stream, target)
  const destination = destinations.at(target.ip, target.port)
  openTunnel(options, incoming, stream, destination).catch((err: unknown) => {
    // Fails closed: a bug opens nothing.
    options.context.log.error({ err }, 'A tunnel could not be opened')
    answer(stream, 503)
    stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  })
}

async function openTunnel(
  options: HboneOptions,
  incoming: Incoming,
  stream: ServerHttp2Stream,
  destination: Destination,
): Promise<void> {
  const { context, enforcement, self } = options
  const upstream = showAddress(destination.upstream)
  const isTcp = destination.protocol === 'tcp'
  const judge = enforcement.connectionJudge(incoming.facts)
  if (isTcp && judge.ask !== undefined) await judge.ask()
  const verdict = isTcp ? judge.judge() : enforcement.judgeWhateverComes(incoming.facts)
  if (verdict.kind === 'deny') {
    answer(stream, 401)
    tellFailed(options, incoming, {
      verdict,
      flags: 'DENY',
      reason: denialReason(verdict),
      upstream,
    })
    return
  }
  const giveUp = new AbortController()
  const abort = () => giveUp.abort()
  stream.once('close', abort)
  let socket: Socket
  try {
    socket = await connectOn(context, { connect: destination.connect, upstream }, giveUp)
  } catch (error) {
    answer(stream, 503)
    tellFailed(options, incoming, { verdict, flags: 'CONNECT', reason: reasonOf(error), upstream })
    return
  }
  stream.off('close', abort)
  if (stream.destroyed) {
    socket.destroy()
    return
  }
  tellCuts(stream)
  const baggage = baggageOf(self)
  stream.respond({ ':status': 200, ...(baggage === '' ? {} : { baggage }) })
  // Who was asked about the tunnel is not asked about its bytes.
  const asked = isTcp ? { judge: judge.judge } : judge
  serveTunnel(options, incoming, { destination, judge: asked }, socket)
}

/** Judged here again, with what is known by then; policy may have changed meanwhile too. */
function serveTunnel(
  { context }: HboneOptions,
  incoming: Incoming,
  { destination, judge }: { readonly destination: Destination; readonly judge: TcpJudge },
  socket: Socket,
): void {
  const { stream } = incoming
  const drop = () => void socket.destroy()
  const asTcp = () => {
    serveTcp(context, incoming, {
      ...judge,
      stillAdmits: () => undefined,
      async connect() {
        stream.off('close', drop)
        return socket
      },
      upstream: showAddress(destination.upstream),
    })
  }
  const asHttp = () => {
    stream.off('close', drop)
    stream.once('close', destination.offer(socket))
    destination.serveHttp(incoming, () => undefined)
  }
  // Until then the connection belongs to nobody else.
  stream.once('close', drop)
  switch (destination.protocol) {
    case 'tcp':
      asTcp()
      return
    case 'http':
    case 'http2':
      asHttp()
      return
    case 'auto':
      lookAtPlaintext(context, stream, (kind) => {
        if (kind === 'other') asTcp()
        else asHttp()
      })
      return
    default:
      destination.protocol satisfies never
  }
}

function incomingOf(
  { context, config, self }: HboneOptions,
  { socket, peer }: Carrier,
  stream: ServerHttp2Stream,
  { ip, port }: TunnelTarget,
): Incoming {
  const sourceIp = plainIp(socket.remoteAddress)
  return {
    ...{ direction: 'inbound', listener: config.name, stream, peer },
    openedAt: context.clock.now(),
    facts: {
      peer: peer.id,
      ...{ sourceIp, remoteIp: sourceIp, destinationIp: ip, destinationPort: port },
      sni: undefined,
    },
    source: sourceOf(socket),
    destination: showEndpoint(ip, port),
    parties: callTo(self, peer.id),
  }
}

function refuse(
  { context, config, self }: HboneOptions,
  { socket, peer }: Carrier,
  stream: ServerHttp2Stream,
  reason: string,
): void {
  answer(stream, 400)
  context.metrics.failed(callTo(self, peer.id), 'CONNECT')
  const where = { listener: config.name, source: sourceOf(socket) }
  const destination = showAddress(config.listen)
  const error = new IdentityError('REQUEST_INVALID', reason)
  refusalLine(context, { ...where, destination }, error, 'CONNECT')
}

function answer(stream: ServerHttp2Stream, status: 400 | 401 | 503): void {
  if (stream.destroyed || stream.closed) return
  stream.respond({ ':status': status }, { endStream: true })
  // RFC 9113 §8.1: the rest of the request is not wanted.
  stream.resume()
  stream.close(constants.NGHTTP2_NO_ERROR)
}

interface Failed {
  readonly verdict: Verdict
  readonly flags: 'DENY' | 'CONNECT'
  readonly reason: string
  readonly upstream: string
}

function tellFailed({ context }: HboneOptions, incoming: Incoming, failed: Failed): void {
  context.metrics.failed(incoming.parties, failed.flags)
  connectionLine(context, { incoming, ...failed, carried: { received: 0, sent: 0 } })
}
