/** A client that says who it is, where it comes from and where it wants to go, and writes its requests byte by byte. */
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { DrawnConnection } from './drawn-requests.ts'

export interface Credentials {
  /** PEM. */
  readonly cert: string
  readonly key: string
}

export interface Answer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** The PROXY header names where the connection seems to come from and go to. */
function proxyLine({ remoteIp, destinationIp, port }: DrawnConnection): string {
  return remoteIp.includes(':')
    ? `PROXY TCP6 ${remoteIp} ${destinationIp} 4711 ${port}\r\n`
    : `PROXY TCP4 ${remoteIp} ${destinationIp} 4711 ${port}\r\n`
}

/** @param alpn offered to the server; empty for none */
export async function open(
  drawn: DrawnConnection,
  port: number,
  credentials: ReadonlyMap<string, Credentials>,
  alpn: readonly string[],
): Promise<Socket> {
  const socket = connectTcp({ port, host: '127.0.0.1', localAddress: drawn.sourceIp })
  socket.setNoDelay(true)
  socket.on('error', () => {}) // a refusal; whoever reads hears that it is closed
  socket.write(proxyLine(drawn))
  if (drawn.peer === 'plain') return socket
  const secured = connectTls({
    socket,
    servername: drawn.sni,
    rejectUnauthorized: false,
    ALPNProtocols: [...alpn],
    ...credentials.get(drawn.peer),
  })
  secured.on('error', () => {})
  await once(secured, 'secureConnect')
  return secured
}

/** Sends a request and reads its answer, whose length must be told. */
export async function exchange(socket: Socket, request: string): Promise<Answer> {
  const closed = new AbortController()
  const end = () => closed.abort()
  socket.once('close', end)
  let text = ''
  try {
    socket.write(request, 'latin1')
    for (;;) {
      const answer = parse(text)
      if (answer !== undefined) return answer
      const [chunk] = await once(socket, 'data', { signal: closed.signal })
      text += chunk.toString('latin1')
    }
  } finally {
    socket.off('close', end)
  }
}

function parse(text: string): Answer | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const [first = '', ...lines] = text.slice(0, end).split('\r\n')
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
    }),
  )
  const length = Number(headers.get('content-length') ?? 0)
  const body = text.slice(end + 4)
  if (body.length < length) return undefined
  return { status: Number(first.split(' ')[1]), headers, body }
}

/** Whether a connection is let in: what is written comes back, or the connection ends. */
export async function echoes(socket: Socket): Promise<boolean> {
  const closed = new AbortController()
  socket.once('close', () => closed.abort())
  socket.once('end', () => closed.abort())
  socket.write('x')
  try {
    await once(socket, 'data', { signal: closed.signal })
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
