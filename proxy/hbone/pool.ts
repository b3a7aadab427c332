/**
 * Connections to the tunnels' ports of other proxies, shared by all tunnels that have the same source identity, the same
 * identities expected at the other end, and the same address. A connection outlives the certificate that it was made with;
 * it ends when its peer is not believed any more, when the peer says so, or when it has carried no tunnel for a while.
 *
 * @see HBONE — client pool
 */
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import { type Address, showAddress } from '../../config/address.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { type PeerPattern, showPeerPattern } from '../config/peer-pattern.ts'
import { connectSecured } from '../forward/connect-secured.ts'
import { endWithPeer } from '../http2/end-with-peer.ts'
import { acceptServers } from '../identity/accepted-peers.ts'
import type { ProxyContext } from '../proxy.ts'
import { keepAlive } from './keep-alive.ts'
import { CLIENT_SESSION, CONNECTION_WINDOW_BYTES, MAX_CLIENT_STREAMS } from './session-settings.ts'

/** The other end of a tunnel. */
export interface HbonePeer {
  /** Name of the listener or destination, for logs. */
  readonly name: string
  readonly address: Address
  /** Whom we expect there; never empty. */
  readonly authorize: readonly PeerPattern[]
}

export interface HbonePool extends Disposable {
  /**
   * Opens a stream on a connection to the peer.
   * @param headers of the CONNECT, as a list of names and values
   * @throws IdentityError as `connectSecured`; UNAVAILABLE, DEADLINE_EXCEEDED; the system's error when there is no connection
   */
  open(peer: HbonePeer, headers: readonly string[]): Promise<ClientHttp2Stream>
  /** Takes no more tunnels; connections end with those that they carry. */
  drain(): void
  readonly sessions: number
}

/** Connections to all peers together. */
const MAX_SESSIONS = 4_096
/** Without a tunnel. */
const IDLE_MS = 300_000

interface Entry {
  readonly ready: Promise<ClientHttp2Session>
  session: ClientHttp2Session | undefined
  streams: number
  isLeaving: boolean
}

interface Pool {
  readonly context: ProxyContext
  /** By key; several where one connection is not enough. */
  readonly entries: Map<string, Set<Entry>>
  size: number
}

export function openHbonePool(context: ProxyContext): HbonePool {
  const pool: Pool = { context, entries: new Map(), size: 0 }
  const all = () => [...pool.entries.values()].flatMap((entries) => [...entries])
  return {
    open: (peer, headers) => open(pool, peer, headers),
    drain() {
      for (const { session } of all()) session?.close()
    },
    get sessions() {
      return pool.size
    },
    [Symbol.dispose]() {
      for (const { session } of all()) session?.destroy()
    },
  }
}

async function open(
  pool: Pool,
  peer: HbonePeer,
  headers: readonly string[],
): Promise<ClientHttp2Stream> {
  const entry = roomyEntry(pool, peer) ?? newEntry(pool, peer)
  entry.streams += 1
  try {
    const session = await entry.ready
    const stream = session.request([...headers], { endStream: false })
    stream.once('close', () => {
      entry.streams -= 1
    })
    return stream
  } catch (error) {
    entry.streams -= 1
    if (error instanceof IdentityError || entry.session === undefined) throw error
    entry.isLeaving = true
    throw new IdentityError('UNAVAILABLE', `no new tunnel to ${peer.name}: ${reasonOf(error)}`, {
      cause: error,
    })
  }
}

/** A new SVID of the same identity finds the connections of the one before. */
function keyOf({ context }: Pool, { authorize, address }: HbonePeer): string {
  const { id } = context.identity.current().defaultSvid
  return [id, ...authorize.map(showPeerPattern).sort(), showAddress(address)].join(' ')
}

function roomyEntry(pool: Pool, peer: HbonePeer): Entry | undefined {
  for (const entry of pool.entries.get(keyOf(pool, peer)) ?? []) {
    const { session, streams, isLeaving } = entry
    if (isLeaving || session?.closed === true || session?.destroyed === true) continue
    const allowed = session?.remoteSettings?.maxConcurrentStreams ?? MAX_CLIENT_STREAMS
    if (streams < Math.min(allowed, MAX_CLIENT_STREAMS)) return entry
  }
  return undefined
}

function newEntry(pool: Pool, peer: HbonePeer): Entry {
  if (pool.size >= MAX_SESSIONS) {
    const why = `${MAX_SESSIONS} connections to other proxies are open, and no more are made`
    throw new IdentityError('UNAVAILABLE', why)
  }
  const key = keyOf(pool, peer)
  const entries = pool.entries.get(key) ?? new Set()
  const { promise, resolve, reject } = Promise.withResolvers<ClientHttp2Session>()
  const entry: Entry = { ready: promise, session: undefined, streams: 0, isLeaving: false }
  pool.entries.set(key, entries)
  entries.add(entry)
  pool.size += 1
  const leave = () => {
    entry.isLeaving = true
    if (!entries.delete(entry)) return
    pool.size -= 1
    if (entries.size === 0 && pool.entries.get(key) === entries) pool.entries.delete(key)
  }
  startSession(pool, peer, entry, leave).then(resolve, (error: unknown) => {
    leave()
    reject(error)
  })
  return entry
}

async function startSession(
  pool: Pool,
  peer: HbonePeer,
  entry: Entry,
  leave: () => void,
): Promise<ClientHttp2Session> {
  const { deadlines } = pool.context
  const socket = await connectInTime(pool, peer)
  if (socket.alpnProtocol !== 'h2') {
    socket.destroy()
    const why = `${showAddress(peer.address)} agreed on no h2, expected a proxy that speaks HBONE there`
    throw new IdentityError('UNAVAILABLE', why)
  }
  endWithPeer(socket)
  const session = connect('http://hbone', { ...CLIENT_SESSION, createConnection: () => socket })
  entry.session = session
  const idle = deadlines.add(() => {
    if (entry.streams > 0) deadlines.set(idle, IDLE_MS)
    else session.close()
  })
  deadlines.set(idle, IDLE_MS)
  session.once('connect', () => session.setLocalWindowSize(CONNECTION_WINDOW_BYTES))
  session.on('goaway', () => {
    entry.isLeaving = true
  })
  session.on('error', () => {}) // what follows from it is done on close
  session.once('close', () => {
    deadlines.delete(idle)
    leave()
  })
  keepAlive(session, deadlines)
  return session
}

async function connectInTime({ context }: Pool, peer: HbonePeer) {
  const { deadlines, connectTimeoutMs } = context
  const giveUp = new AbortController()
  const deadline = deadlines.add(() => giveUp.abort())
  deadlines.set(deadline, connectTimeoutMs)
  const config = {
    ...{ name: peer.name, upstream: peer.address },
    ...{ serverName: undefined, minVersion: 'TLSv1.3' as const },
  }
  const authorize = acceptServers(peer.authorize)
  try {
    return await connectSecured(context, config, { authorize, alpn: ['h2'] }, giveUp.signal)
  } catch (error) {
    if (!giveUp.signal.aborted) throw error
    const seconds = connectTimeoutMs / 1000
    const why = `no connection to ${showAddress(peer.address)} within ${seconds} s; a network policy may block its port`
    throw new IdentityError('DEADLINE_EXCEEDED', why, { cause: error })
  } finally {
    deadlines.delete(deadline)
  }
}
