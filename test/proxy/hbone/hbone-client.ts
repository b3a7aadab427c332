/** A client of tunnels that sends what a test wants, and a workload behind a proxy that takes them. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import { authorizeAny } from '../../../workload/tls/authorize.ts'
import { connectMtls } from '../../../workload/tls/connect-mtls.ts'
import { contextOf, currentCa, FakeTlsIdentity, identityOf } from '../../fakes/svids.ts'

export const ca = await currentCa('example.org')
export const web = await identityOf(ca, '/ns/shop/sa/web')
export const db = await identityOf(ca, '/ns/shop/sa/db')

export const sourceOf = (identity: typeof web) =>
  new FakeTlsIdentity(contextOf(identity, [ca.bundle]))

/** @param alpn what the client offers */
export async function connectHbone(
  port: number,
  identity = sourceOf(web),
  alpn: readonly string[] = ['h2'],
): Promise<ClientHttp2Session> {
  const socket = await connectMtls(identity, authorizeAny(), { host: '127.0.0.1', port, alpn })
  const session = connect('http://hbone', { createConnection: () => socket })
  session.on('error', () => {})
  return session
}

export interface Tunnel {
  readonly stream: ClientHttp2Stream
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
}

/** @returns once it was answered; the status is 0 when it was reset instead */
export async function openTunnel(
  session: ClientHttp2Session,
  authority: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Tunnel> {
  const stream = session.request(
    { ':method': 'CONNECT', ':authority': authority, ...headers },
    { endStream: false },
  )
  stream.on('error', () => {})
  return await new Promise((resolve) => {
    stream.once('response', (answer) =>
      resolve({ stream, status: Number(answer[':status']), headers: answer }),
    )
    stream.once('close', () => resolve({ stream, status: 0, headers: {} }))
  })
}

/** As `once`, which rejects when a stream is reset. */
export const closeOf = (stream: ClientHttp2Stream | ClientHttp2Session): Promise<void> =>
  new Promise((resolve) => {
    stream.once('close', () => resolve())
  })

/** Without the END_STREAM that Node sends before a reset. */
export function reset(stream: ClientHttp2Stream, code: number): void {
  stream._final = (done) => done()
  stream.close(code)
}

export const policy = (name: string, spec: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name}, namespace: shop }
spec: ${spec}
---
`
