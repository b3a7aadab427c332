/** Connections that all read into one buffer: nobody's bytes become another's, whoever is slow. */
import { hash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { PassThrough, Writable } from 'node:stream'
import { afterEach, expect, test } from 'vitest'
import { connectPlain } from '../../../proxy/forward/connect-plain.ts'
import { newInlet, takeFromInlet } from '../../../proxy/forward/inlet.ts'
import { writeCopy } from '../../../proxy/forward/write-copy.ts'

const stack: { destroy(): void }[] = []
afterEach(() => {
  for (const one of stack.splice(0)) one.destroy()
})

async function serve(onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    stack.push(socket)
    socket.on('error', () => {})
    onConnection(socket)
  })
  stack.push({ destroy: () => void server.close() })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port // cast: it listens on TCP
}

async function open(port: number): Promise<Socket> {
  const upstream = { kind: 'tcp', host: '127.0.0.1', port } as const
  const { signal } = new AbortController()
  const socket = await connectPlain(upstream, signal, undefined, newInlet())
  stack.push(socket)
  return socket
}

test('what a server says before anybody listens is not lost', async () => {
  const port = await serve((socket) => void socket.write('220 ready\r\n'))
  const socket = await open(port)
  await expect.poll(() => socket.bytesRead).toBe(11)
  let heard = ''
  takeFromInlet(socket, (bytes) => {
    heard += bytes.toString()
    return true
  })
  await expect.poll(() => heard).toBe('220 ready\r\n')
})

test('a server that ends is heard to end, also when it said something before anybody listened', async () => {
  const port = await serve((socket) => void socket.end('bye'))
  const socket = await open(port)
  await expect.poll(() => socket.bytesRead).toBe(3)
  const ended = once(socket, 'end')
  let heard = ''
  takeFromInlet(socket, (bytes) => {
    heard += bytes.toString()
    return true
  })
  await ended
  expect(heard).toBe('bye')
})

test('megabytes over several connections at once, to readers that are slow, arrive as they were sent', async () => {
  const sent = [1, 2, 3, 4].map(() => randomBytes(3 * 1024 * 1024))
  let next = 0
  const port = await serve((socket) => void socket.end(sent[next++] ?? ''))
  const received = await Promise.all(
    sent.map(async (_, at) => {
      const socket = await open(port)
      const { slow, written } = slowWriter(1_000 * (at + 1))
      slow.on('drain', () => socket.resume())
      const ended = once(socket, 'end')
      takeFromInlet(socket, (bytes) => writeCopy(slow, bytes))
      await ended
      slow.end()
      await once(slow, 'finish')
      return Buffer.concat(written)
    }),
  )
  const digests = (all: readonly Buffer[]) => all.map((one) => hash('sha256', one)).sort()
  expect(digests(received)).toEqual(digests(sent))
})

/** Reads what it was given a turn of the loop later, as a socket's kernel may. */
function slowWriter(highWaterMark: number) {
  const written: Buffer[] = []
  const slow = new Writable({
    highWaterMark,
    write(chunk: Buffer, _encoding, done) {
      setImmediate(() => {
        written.push(Buffer.from(chunk))
        done()
      })
    },
  })
  return { slow, written }
}

test('a taker that wants no more is given no more until the connection is resumed', async () => {
  const port = await serve((socket) => socket.pipe(socket))
  const socket = await open(port)
  const heard: string[] = []
  takeFromInlet(socket, (bytes) => {
    heard.push(bytes.toString())
    return false
  })
  socket.write('one')
  await expect.poll(() => heard).toEqual(['one'])
  socket.write('two')
  // Another connection's round trip is later than anything that was on its way.
  const other = connect({ port, host: '127.0.0.1' })
  stack.push(other)
  other.write('ping')
  await once(other, 'data')
  expect(heard).toEqual(['one'])
  socket.resume()
  await expect.poll(() => heard).toEqual(['one', 'two'])
})

test('a connection without an inlet says so', () => {
  expect(takeFromInlet(new PassThrough(), () => true)).toBe(false)
})

test('memory that is used again before a slow writer wrote it changes nothing of what is written', async () => {
  for (const size of [1, 2_048, 2_049, 65_536]) {
    const written: Buffer[] = []
    const waiting: (() => void)[] = []
    const slow = new Writable({
      write(chunk: Buffer, _encoding, done) {
        waiting.push(() => {
          written.push(Buffer.from(chunk))
          done()
        })
      },
    })
    const memory = Buffer.alloc(size)
    for (let value = 1; value <= 5; value += 1) writeCopy(slow, memory.fill(value))
    memory.fill(0)
    while (written.length < 5) {
      await expect.poll(() => waiting.length).toBeGreaterThan(0)
      waiting.shift()?.()
    }
    expect(written.map((one) => [one.length, one[0], one[size - 1]])).toEqual(
      [1, 2, 3, 4, 5].map((value) => [size, value, value]),
    )
  }
})
