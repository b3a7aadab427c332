/**
 * The client's end of mutual TLS: resolves with a connection whose peer has been verified and authorized, or not at
 * all. Host names in certificates are not looked at; the SPIFFE ID says who is there.
 */
import { isIP, type OnReadOpts } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect, type TLSSocket } from 'node:tls'
import { type Clock, systemClock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { Authorize } from './authorize.ts'
import { judgeSocket } from './judge-peer.ts'
import { markPeer } from './peer-id.ts'
import {
  type MinTlsVersion,
  postQuantumContextOf,
  secureContextOf,
  type TlsIdentity,
  usableIdentity,
} from './tls-identity.ts'

export interface MtlsTarget {
  readonly host: string
  readonly port: number
  /** Default: TLS 1.2. */
  readonly minVersion?: MinTlsVersion
  /** Fail rather than do without a post-quantum key exchange, which takes TLS 1.3. Default: false. */
  readonly requirePqKem?: boolean
  /** Each way ends by itself; by default the connection ends with the first. Not for a given `socket`, which knows. */
  readonly allowHalfOpen?: boolean
  /** Sent as SNI; default: `host` when it is a name. */
  readonly servername?: string | undefined
  readonly alpn?: readonly string[]
  /** Reads into memory of the caller's own, which may get bytes from the handshake's end on; not for a given `socket`. */
  readonly onread?: OnReadOpts | undefined
  /** Connected already, e.g. through a proxy. */
  readonly socket?: Duplex | undefined
  readonly signal?: AbortSignal | undefined
  readonly clock?: Clock
}

const HANDSHAKE_TIMEOUT_MS = 20_000
/** With a reason of its own an abort makes no exception, whose stack costs more than the rest. */
const DONE = 'the handshake is over'

/**
 * @throws IdentityError CERTIFICATE_UNTRUSTED or NOT_AUTHORIZED for the peer, UNAVAILABLE or NO_IDENTITY_ISSUED for
 *   ourselves, DEADLINE_EXCEEDED, CANCELED; the system's error when there is no connection
 */
export async function connectMtls(
  source: TlsIdentity,
  authorize: Authorize,
  target: MtlsTarget,
): Promise<TLSSocket> {
  const { clock = systemClock } = target
  const identity = usableIdentity(source, clock)
  const secured = connect({
    ...(target.socket === undefined
      ? {
          ...{ host: target.host, port: target.port },
          allowHalfOpen: target.allowHalfOpen === true,
          ...(target.onread === undefined ? {} : { onread: target.onread }),
        }
      : { socket: target.socket }),
    ...sniOf(target),
    ...(target.alpn === undefined ? {} : { ALPNProtocols: [...target.alpn] }),
    secureContext:
      target.requirePqKem === true
        ? postQuantumContextOf(identity)
        : secureContextOf(identity, target.minVersion),
    // We verify ourselves, below: OpenSSL would take the roots of one trust domain for those of all.
    rejectUnauthorized: false,
  })
  secured.on('error', () => {}) // heard by the handshake, then by the caller; in between it must not end the process
  try {
    await handshake(secured, clock, target.signal)
    const judge = { authorize, clock, peer: 'server' } as const
    markPeer(secured, judgeSocket(secured, source.current(), judge))
    return secured
  } catch (error) {
    secured.destroy() // fails closed: no byte was sent or read
    throw error
  }
}

function sniOf({ host, servername }: MtlsTarget): { servername?: string } {
  if (servername !== undefined && isIP(servername) === 0) return { servername }
  return isIP(host) === 0 ? { servername: host } : {}
}

async function handshake(
  socket: TLSSocket,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const done = new AbortController()
  const closed = () => reject(new Error('the connection was closed during the TLS handshake'))
  const canceled = () =>
    reject(new IdentityError('CANCELED', 'the connection is not wanted any more'))
  socket.once('secureConnect', resolve).once('error', reject).once('close', closed)
  signal?.addEventListener('abort', canceled, { once: true })
  if (signal?.aborted === true) canceled()
  void clock.sleep(HANDSHAKE_TIMEOUT_MS, done.signal).then(() => {
    if (done.signal.aborted) return
    const seconds = HANDSHAKE_TIMEOUT_MS / 1000
    reject(new IdentityError('DEADLINE_EXCEEDED', `no TLS handshake within ${seconds} s`))
  })
  try {
    await promise
  } finally {
    done.abort(DONE)
    socket.off('secureConnect', resolve).off('error', reject).off('close', closed)
    signal?.removeEventListener('abort', canceled)
  }
}
