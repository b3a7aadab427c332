/** Mutual TLS for HTTP clients: `https` and whatever takes its agents, undici and `fetch`, and HTTP/2 sessions. */
import { type ClientHttp2Session, connect as connectHttp2Over } from 'node:http2'
import { Agent, type AgentOptions } from 'node:https'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { IdentityError } from '../../spiffe/error.ts'
import type { Authorize } from './authorize.ts'
import { connectMtls, type MtlsTarget } from './connect-mtls.ts'
import type { TlsIdentity } from './tls-identity.ts'

const HTTPS_PORT = 443
const HTTP_1 = ['http/1.1']

/** An agent for `https.request`; connections that it keeps alive stay with the SVID they were made with. */
export function httpsAgent(
  source: TlsIdentity,
  authorize: Authorize,
  options: AgentOptions = {},
): Agent {
  const agent = new Agent({ keepAlive: true, ...options, maxCachedSessions: 0 })
  agent.createConnection = (to, callback) => {
    const target = {
      host: to.host ?? 'localhost',
      port: Number(to.port ?? HTTPS_PORT),
      servername: to.servername,
      alpn: HTTP_1,
    }
    connectMtls(source, authorize, target).then(
      (socket) => callback?.(null, socket),
      // Cast: with an error there is no stream to give, and Node looks for none.
      (error: Error) => (callback as ((error: Error) => void) | undefined)?.(error),
    )
    return undefined
  }
  return agent
}

/** What undici gives to a connector, as far as we need it. */
export interface ConnectorOptions {
  readonly hostname: string
  readonly protocol: string
  readonly port: string
  readonly servername?: string | null | undefined
  readonly httpSocket?: Duplex | undefined
}

export type ConnectorCallback = (...result: [null, TLSSocket] | [Error, null]) => void

/** For `new undici.Agent({ connect: undiciConnector(source, authorize) })`. */
export function undiciConnector(source: TlsIdentity, authorize: Authorize) {
  return (to: ConnectorOptions, callback: ConnectorCallback): void => {
    if (to.protocol !== 'https:') {
      // Fails closed: a caller who mistyped the scheme gets no plain connection.
      const seen = `a connection by ${to.protocol} was asked for, expected https:`
      callback(new IdentityError('REQUEST_INVALID', seen), null)
      return
    }
    const target: MtlsTarget = {
      host: to.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: to.port === '' ? HTTPS_PORT : Number(to.port),
      servername: to.servername ?? undefined,
      socket: to.httpSocket,
      alpn: HTTP_1,
    }
    connectMtls(source, authorize, target).then(
      (socket) => callback(null, socket),
      (error: Error) => callback(error, null),
    )
  }
}

/** @param authority e.g. `https://db.internal:8443`; @throws as `connectMtls` */
export async function connectHttp2(
  source: TlsIdentity,
  authorize: Authorize,
  authority: string | URL,
): Promise<ClientHttp2Session> {
  const url = new URL(authority)
  if (url.protocol !== 'https:') {
    throw new IdentityError('REQUEST_INVALID', `${url.protocol} was given, expected https:`)
  }
  const socket = await connectMtls(source, authorize, {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? HTTPS_PORT : Number(url.port),
    alpn: ['h2'],
  })
  if (socket.alpnProtocol !== 'h2') {
    socket.destroy()
    throw new IdentityError('REQUEST_INVALID', 'the server does not speak HTTP/2')
  }
  return connectHttp2Over(url, { createConnection: () => socket })
}
