/**
 * TLS from the agent to the server, with the check of the server done here: its certificate must be the X509-SVID
 * `spiffe://<our trust domain>/spire/server`, verified by the bundle of our trust domain alone. Fails closed: no
 * byte is sent on a connection that was not verified.
 *
 * @see X509-SVID §5 — validation
 */
import { constants } from 'node:crypto'
import { isIP, type Socket } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { CallCredentials, ChannelCredentials, type experimental } from '@grpc/grpc-js'
import { peerChain } from '../../proto/peer-chain.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { parseSpiffeId, serverId, type TrustDomain } from '../../spiffe/id.ts'
import { toPkcs8 } from '../../spiffe/key.ts'
import { KEY_EXCHANGE_GROUPS, PQ_KEY_EXCHANGE_GROUPS } from '../../spiffe/key-exchange.ts'
import { parseCertificate } from '../../spiffe/x509/certificate.ts'
import { isForUnknownAuthority } from '../../spiffe/x509/path.ts'
import { toPem, toPemChain } from '../../spiffe/x509/pem.ts'
import { verifyX509Svid } from '../../spiffe/x509/verify.ts'
import type { AgentSvid } from './agent-svid.ts'
import { peerOf } from './server-directory.ts'

/** How the server is told from an impostor. */
export type ServerTrust =
  | { readonly kind: 'bundle'; readonly bundle: () => Bundle }
  /** By its name only, which anybody can claim: for `insecure_bootstrap`, and only until there is a bundle. */
  | { readonly kind: 'insecure' }

export interface ServerTls {
  /** The name under which a peer, `ip:port`, is known: shown to load balancers, and no proof of anything. */
  nameOf(peer: string): string
  readonly trustDomain: TrustDomain
  readonly trust: ServerTrust
  /** Presented to the server; without one the agent can attest, and nothing else. */
  readonly svid: AgentSvid | undefined
  readonly clock: Clock
  /** Only post-quantum key exchange, which only TLS 1.3 has. */
  readonly requirePqKem?: boolean | undefined
  /**
   * Told at every handshake why the server was refused, apart from what gRPC makes of it; undefined: it was not.
   * @param peer the server's address, as `ip:port`
   */
  onVerdict(refusal: IdentityError | undefined, peer: string): void
}

const HANDSHAKE_TIMEOUT_MS = 20_000
/**
 * Idle connections are probed from then on, so that a server which vanished is noticed. By TCP: SPIRE's server takes
 * HTTP/2 pings more often than every five minutes for abuse, and closes the connection.
 */
const KEEPALIVE_AFTER_MS = 15_000

/** A class because gRPC asks for one; equal only to itself, so that no two share a connection. */
class ServerCredentials extends ChannelCredentials {
  readonly #tls: ServerTls

  constructor(tls: ServerTls) {
    super()
    this.#tls = tls
  }

  override _isSecure(): boolean {
    return true
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other
  }

  override _createSecureConnector(): experimental.SecureConnector {
    return {
      connect: async (socket) => ({ socket: await secure(socket, this.#tls), secure: true }),
      waitForReady: async () => {},
      getCallCredentials: () => CallCredentials.createEmpty(),
      destroy: () => {},
    }
  }
}

export function serverCredentials(tls: ServerTls): ChannelCredentials {
  return new ServerCredentials(tls)
}

async function secure(socket: Socket, tls: ServerTls): Promise<TLSSocket> {
  socket.setKeepAlive(true, KEEPALIVE_AFTER_MS)
  const peer = peerOf({ host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 })
  const name = tls.nameOf(peer)
  const secured = connect({
    socket,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(tls.svid === undefined ? {} : clientCertificate(tls.svid)),
    ALPNProtocols: ['h2'],
    minVersion: tls.requirePqKem === true ? 'TLSv1.3' : 'TLSv1.2',
    ecdhCurve: tls.requirePqKem === true ? PQ_KEY_EXCHANGE_GROUPS : KEY_EXCHANGE_GROUPS,
    secureOptions: constants.SSL_OP_NO_TICKET, // a resumed session would carry an old verdict
    // We verify ourselves, below: OpenSSL knows no trust domains and insists on host names.
    rejectUnauthorized: false,
  })
  secured.on('error', () => {}) // heard by the handshake, then by gRPC; in between it must not end the process
  try {
    await handshake(secured)
    verify(secured, tls)
    tls.onVerdict(undefined, peer)
    return secured
  } catch (error) {
    secured.destroy()
    if (error instanceof IdentityError) tls.onVerdict(error, peer)
    throw error
  }
}

function clientCertificate({ chain, key }: AgentSvid): { cert: string; key: string } {
  return {
    cert: toPemChain(chain),
    key: toPem('PRIVATE KEY', toPkcs8(key)),
  }
}

function handshake(socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      socket.setTimeout(0)
      for (const [event, listener] of listeners) socket.off(event, listener)
      if (error === undefined) resolve()
      else reject(error)
    }
    const listeners = [
      ['secureConnect', () => settle()],
      ['error', (error: Error) => settle(error)],
      ['close', () => settle(new Error('the connection was closed during the TLS handshake'))],
      ['timeout', () => settle(new Error('no TLS handshake within 20 s'))],
    ] as const
    for (const [event, listener] of listeners) socket.on(event, listener)
    socket.setTimeout(HANDSHAKE_TIMEOUT_MS)
  })
}

function verify(socket: TLSSocket, { trustDomain, trust, clock }: ServerTls): void {
  if (socket.isSessionReused()) throw untrusted('a TLS session was resumed; sessions never are')
  if (socket.alpnProtocol !== 'h2') throw untrusted('it does not speak HTTP/2: no SPIRE server')
  const chain = peerChain(socket.getPeerCertificate(true))
  const expected = serverId(trustDomain)
  const claimed = claimedId(chain)
  if (claimed !== expected) throw untrusted(`it is ${claimed}, expected ${expected}`)
  if (trust.kind === 'insecure') return
  try {
    verifyX509Svid({ chain, bundle: trust.bundle(), now: clock.now(), usage: 'serverAuth' })
  } catch (error) {
    throw untrusted(`${NOT_VOUCHED_FOR}: ${reasonOf(error)}`, error)
  }
}

/** Says nothing about who the server is; only what its certificate says. */
function claimedId(chain: readonly Uint8Array[]): string {
  const [first] = chain
  if (first === undefined) throw untrusted('it presented no certificate')
  try {
    const [uri = '', ...others] = parseCertificate(first).uriSans
    const id = parseSpiffeId(uri)
    if (others.length === 0) return id
  } catch (error) {
    throw untrusted('its certificate names no SPIFFE ID: no SPIRE server', error)
  }
  throw untrusted('its certificate names several SPIFFE IDs')
}

/**
 * Whether a server was refused because no authority of the trust bundle signed its certificate: the trust domain may
 * have new ones that the agent missed. Not so for a server that is none, or whose certificate is wrong in itself.
 */
export function isUnknownServer(error: unknown): error is IdentityError {
  if (!(error instanceof IdentityError) || error.code !== 'CERTIFICATE_UNTRUSTED') return false
  const message = error.message.replace(AT_PEER, '')
  return message.startsWith(`${UNTRUSTED}: ${NOT_VOUCHED_FOR}`) && isForUnknownAuthority(message)
}

/** The same refusal, of one server among several. */
export function refusedAt(refusal: IdentityError, peer: string): IdentityError {
  return new IdentityError(refusal.code, `${refusal.message} (at ${peer})`, { cause: refusal })
}

const AT_PEER = / \(at [^ ]+\)$/
const UNTRUSTED = 'the server is not to be trusted'
const NOT_VOUCHED_FOR = 'the trust bundle does not vouch for it'

function untrusted(why: string, cause?: unknown): IdentityError {
  return new IdentityError('CERTIFICATE_UNTRUSTED', `${UNTRUSTED}: ${why}`, { cause })
}
