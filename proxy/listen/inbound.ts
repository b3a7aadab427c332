/**
 * The listener in front of a workload. Each connection is looked at, let through the gate of its port's mode, identified by
 * mutual TLS where it is to be, judged by policy and carried on to the workload. Nothing reaches the workload before all of
 * that; any doubt closes the connection.
 */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { showAddress } from '../../config/address.ts'
import type { ConnectionFacts } from '../../policy/facts.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { Authorize } from '../../workload/tls/authorize.ts'
import type { VerifiedPeer } from '../../workload/tls/judge-peer.ts'
import { createMtlsServer, type MtlsServer } from '../../workload/tls/mtls-server.ts'
import { verifiedPeerOf } from '../../workload/tls/peer-id.ts'
import type { InboundConfig } from '../config.ts'
import type { Enforcement } from '../enforce/enforcement.ts'
import { connectPlain } from '../forward/connect-plain.ts'
import { newInlet } from '../forward/inlet.ts'
import type { ProxyContext } from '../proxy.ts'
import { refusalLine } from '../telemetry/access-lines.ts'
import { callTo, type Party } from '../telemetry/parties.ts'
import { type Listener, listenAt } from './accept.ts'
import { destinationOf, plainIp, sourceOf } from './addresses.ts'
import { lookAt } from './first-bytes.ts'
import { chooseAlpn, type GateDecision, type GateMode, gate, type InnerProtocol } from './gate.ts'
import type { Incoming } from './incoming.ts'
import type { Locate, Located } from './located.ts'
import { lookAtAdmitted } from './look-at-admitted.ts'
import { serveTcp } from './serve-tcp.ts'
import type { Sniffed } from './sniff.ts'

export interface InboundOptions {
  readonly context: ProxyContext
  readonly config: Omit<InboundConfig, 'upstream' | 'workloadPort'>
  readonly enforcement: Enforcement
  readonly authorize: Authorize
  /** The workload behind us. */
  readonly self: Party
  readonly locate: Locate
}

/** What was found out about a connection before its handshake. */
interface Pending {
  readonly inner: InnerProtocol
  readonly located: Located
  readonly openedAt: Date
}

interface Inbound extends InboundOptions {
  readonly mtls: MtlsServer
  /** By `ip:port` of the client, which is unique while the connection lives. */
  readonly pending: Map<string, Pending>
}

/** @throws IdentityError CONFIG_INVALID when the address cannot be had; as `identity.current` */
export async function listenInbound(options: InboundOptions): Promise<Listener> {
  const { context, config, authorize } = options
  const pending = new Map<string, Pending>()
  const raw = new Set<Socket>()
  const mtls = createMtlsServer(
    context.identity,
    authorize,
    (socket) => afterHandshake(inbound, socket),
    {
      chooseAlpn: (offered) => chooseAlpn(offered, config.protocol),
      minVersion: config.minVersion,
      clock: context.clock,
      onRefused: (error, source) => refuse(inbound, source, error),
    },
  )
  const inbound: Inbound = { ...options, mtls, pending }
  const listener = await listenAt({
    name: config.name,
    address: config.listen,
    key: `proxy.inbound.${config.name}.listen`,
    ...{ maxConnections: context.maxConnections, isShared: context.isShared },
    onConnection(socket) {
      raw.add(socket)
      socket.once('close', () => raw.delete(socket))
      accept(inbound, socket)
    },
  })
  return {
    ...listener,
    async [Symbol.asyncDispose]() {
      await listener[Symbol.asyncDispose]()
      await mtls[Symbol.asyncDispose]()
      for (const socket of raw) socket.destroy()
    },
  }
}

function accept(inbound: Inbound, socket: Socket): void {
  const openedAt = inbound.context.clock.now()
  const located = inbound.locate(socket)
  if ('refusal' in located) {
    const source = sourceOf(socket)
    socket.destroy()
    refuse(inbound, source, new IdentityError('REQUEST_INVALID', located.refusal))
    return
  }
  lookAt(inbound.context, socket, (seen) => admit(inbound, socket, seen, { located, openedAt }))
}

function admit(
  inbound: Inbound,
  socket: Socket,
  seen: Sniffed | undefined,
  { located, openedAt }: Omit<Pending, 'inner'>,
): void {
  const { mtls, pending, context } = inbound
  const decision: GateDecision = gate(modeNow(inbound, located), located.protocol, seen)
  const source = sourceOf(socket)
  switch (decision.kind) {
    case 'refuse': {
      const sourceIp = plainIp(socket.remoteAddress)
      socket.destroy()
      if (decision.why === 'tls-of-others') {
        const why = 'TLS without a protocol of the mesh at a port for HTTP'
        refuse(inbound, source, new IdentityError('CALLER_UNIDENTIFIED', why))
        return
      }
      context.plaintextCallers.saw(located.port, sourceIp, openedAt, true)
      refusePlaintext(inbound, source, located)
      return
    }
    case 'terminate': {
      const one: Pending = { inner: decision.inner, located, openedAt }
      pending.set(source, one)
      socket.once('close', () => {
        // After a reset the port may have come again before we heard of its end.
        if (pending.get(source) === one) pending.delete(source)
      })
      mtls.accept(socket)
      return
    }
    default: {
      context.plaintextCallers.saw(located.port, plainIp(socket.remoteAddress), openedAt)
      const sni = seen?.kind === 'tls' ? seen.hello.serverName : undefined
      const found = { stream: socket, peer: undefined, sni, located, openedAt }
      const incoming = incomingOf(inbound, found)
      begin(inbound, incoming, located, decision.kind === 'plaintext' ? decision.inner : 'tcp')
    }
  }
}

function afterHandshake(inbound: Inbound, socket: TLSSocket): void {
  const found = inbound.pending.get(sourceOf(socket))
  if (found === undefined) {
    socket.destroy() // it has gone meanwhile
    return
  }
  const peer = verifiedPeerOf(socket)
  // Node gives `false` when the client sent no name.
  const sni = socket.servername === '' ? undefined : socket.servername || undefined
  const { located, openedAt } = found
  const incoming = incomingOf(inbound, { stream: socket, peer, sni, located, openedAt })
  if (found.inner !== 'sniff') {
    begin(inbound, incoming, located, found.inner)
    return
  }
  const stillAdmits = () => mayStay(inbound, located, incoming.peer)
  lookAtAdmitted(inbound.context, incoming, stillAdmits, (kind) =>
    begin(inbound, incoming, located, kind === 'other' ? 'tcp' : 'http'),
  )
}

interface Found {
  readonly stream: Socket
  readonly peer: VerifiedPeer | undefined
  readonly sni: string | undefined
  readonly located: Located
  readonly openedAt: Date
}

function incomingOf({ config, self }: Inbound, found: Found): Incoming {
  const { stream, peer, sni, located, openedAt } = found
  const sourceIp = plainIp(stream.remoteAddress)
  const facts: ConnectionFacts = {
    peer: peer?.id,
    sourceIp,
    remoteIp: sourceIp,
    destinationIp: located.ip,
    destinationPort: located.port,
    sni,
  }
  return {
    ...{ direction: 'inbound', listener: config.name, stream, facts, peer, openedAt },
    source: sourceOf(stream),
    destination: destinationOf(stream),
    parties: callTo(self, peer?.id),
  }
}

function begin(
  inbound: Inbound,
  incoming: Incoming,
  located: Located,
  protocol: 'http' | 'tcp',
): void {
  const { context, enforcement } = inbound
  const stillAdmits = () => mayStay(inbound, located, incoming.peer)
  if (protocol === 'http') {
    located.serveHttp(incoming, stillAdmits)
    return
  }
  serveTcp(context, incoming, {
    ...enforcement.connectionJudge(incoming.facts),
    stillAdmits,
    connect: (signal) => connectPlain(located.upstream, signal, context.socketMark, newInlet()),
    upstream: showAddress(located.upstream),
  })
}

/** A list of peers is a list of identities: who shows none is on none. */
function modeNow({ config, enforcement }: Inbound, { port }: Located): GateMode {
  return isStrict(config) ? enforcement.strictMode() : enforcement.modeOf(port)
}

const isStrict = ({ mtls, authorize }: Inbound['config']): boolean =>
  mtls === 'strict' || authorize !== undefined

/** @returns why a connection without a verified peer cannot go on after the mode of its port has changed */
function mayStay(
  inbound: Inbound,
  located: Located,
  peer: VerifiedPeer | undefined,
): string | undefined {
  if (peer !== undefined || modeNow(inbound, located) !== 'STRICT') return undefined
  return `plaintext where ${whoWantsTls(inbound).why} now`
}

interface WantsTls {
  readonly why: string
  /** `namespace/name` of PeerAuthentications; undefined where none decides. */
  readonly policy: string | undefined
}

/** Policies, or the listener's own configuration, which they cannot change. */
function whoWantsTls({ config, enforcement }: Inbound): WantsTls {
  if (isStrict(config)) return { why: 'the listener takes mutual TLS alone', policy: undefined }
  const names = enforcement.modeSources().map(({ namespace, name }) => `${namespace}/${name}`)
  const policy = names.join(', ')
  return { why: `PeerAuthentication is STRICT by ${policy}`, policy }
}

function refusePlaintext(inbound: Inbound, source: string, { port }: Located): void {
  const { context, config, self } = inbound
  context.metrics.failed(callTo(self, undefined), 'DENY')
  const where = { listener: config.name, source, destination: showAddress(config.listen) }
  const { why, policy } = whoWantsTls(inbound)
  const error = new IdentityError('CALLER_UNIDENTIFIED', `plaintext where ${why}`)
  refusalLine(context, { ...where, workload_port: port, policy }, error, 'DENY')
}

function refuse({ context, config, self }: Inbound, source: string, error: IdentityError): void {
  context.metrics.failed(callTo(self, undefined), 'TLS_FAILURE')
  const destination = showAddress(config.listen)
  refusalLine(context, { listener: config.name, source, destination }, error)
}
