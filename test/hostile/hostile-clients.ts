/** Clients that mean no good, or do not know what they do. Each returns when it has done its worst; none holds on for ever. */
import { once } from 'node:events'
import { connect as connectHttp2, constants } from 'node:http2'
import { connect, type Socket } from 'node:net'

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Resolves however it ends. */
const closeOf = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.destroyed) resolve()
    socket.once('close', () => resolve())
  })

const ABANDONED = [
  '',
  'GET /public HT',
  'GET /public HTTP/1.1\r\nhost: a\r\nx-slow: ',
  'POST /public HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nhalf',
  'POST /public HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nff\r\n',
] as const

/** Connections that begin something and then say nothing more, open until they are disposed of. */
export async function abandon(port: number, count: number): Promise<Disposable> {
  const sockets: Socket[] = []
  for (let at = 0; at < count; at += 1) {
    const socket = await open(port)
    socket.write(ABANDONED[at % ABANDONED.length] ?? '')
    sockets.push(socket)
  }
  return {
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** Clients that end their half, after as little as the others began, and never close. */
export async function halfClose(port: number, count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) {
    const socket = await open(port)
    socket.resume()
    socket.end(ABANDONED[at % ABANDONED.length] ?? '')
    await closeOf(socket)
  }
}

/** The beginning of a ClientHello: a record that promises 512 bytes. */
export const HELLO = Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3])

/** Connections that are closed, or reset, as soon as they are there. */
export async function comeAndGo(port: number, count: number, atOnce: number): Promise<void> {
  let left = count
  const one = async () => {
    for (; left > 0; ) {
      left -= 1
      const socket = await open(port)
      if (left % 3 === 1) socket.write(HELLO)
      if (left % 2 === 0) socket.destroy()
      else socket.resetAndDestroy()
      await closeOf(socket)
    }
  }
  await Promise.all([...Array(atOnce)].map(one))
}

const FLOODS = [
  `x: ${'y'.repeat(128 * 1024)}\r\n`,
  'a: b\r\n'.repeat(1_000),
  Array.from({ length: 1_000 }, (_, at) => `x-${at}: y\r\n`).join(''),
] as const

/** @returns the statuses that heads beyond every bound were answered with; 0 for a connection that was cut */
export async function flood(port: number, count: number): Promise<ReadonlySet<number>> {
  const seen = new Set<number>()
  for (let at = 0; at < count; at += 1) {
    const socket = await open(port)
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
    })
    socket.once('end', () => socket.end())
    socket.write(`GET /public HTTP/1.1\r\nhost: a\r\n${FLOODS[at % FLOODS.length]}\r\n`)
    await closeOf(socket)
    seen.add(Number(/^HTTP\/1.1 (\d+)/.exec(text)?.[1] ?? 0))
  }
  return seen
}

/** Streams that are opened and reset at once, until the connection is taken away. @returns whether it was */
export async function resetRapidly(port: number, most: number): Promise<boolean> {
  const session = connectHttp2(`http://127.0.0.1:${port}`)
  session.on('error', () => {})
  let isOver = false
  session.once('goaway', () => {
    isOver = true
  })
  session.once('close', () => {
    isOver = true
  })
  await once(session, 'connect')
  for (let at = 0; at < most && !isOver && !session.destroyed; at += 1) {
    const stream = session.request({ ':path': '/public' })
    stream.on('error', () => {})
    stream.close(constants.NGHTTP2_CANCEL)
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
  session.destroy()
  return isOver
}
