/** The other end of a bus connection, on a real Unix socket: it says what a test wants, word by word. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageLength } from '../../../agent/dbus/message.ts'
import { makeMessage, textBody } from './bus-messages.ts'

export interface BusCall {
  readonly serial: number
  /** The whole call, for whoever wants to look into it. */
  readonly bytes: Buffer
  reply(bytes: Buffer): void
  readonly socket: Socket
}

export interface FakeBus extends AsyncDisposable {
  readonly path: string
  readonly connections: number
  /** Of those, how many are still open. */
  readonly open: number
}

const OK = `OK ${'0123456789abcdef'.repeat(2)}\r\n`

export interface FakeBusOptions {
  /** The answer to who we are. */
  readonly welcome?: string
  /** Answers every call but the greeting. */
  readonly answer?: (call: BusCall) => void
}

export async function startFakeBus({
  welcome = OK,
  answer = () => {},
}: FakeBusOptions): Promise<FakeBus> {
  const dir = mkdtempSync(join(tmpdir(), 'bus-'))
  const path = join(dir, 'bus')
  let connections = 0
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    connections += 1
    sockets.add(socket)
    let rest = Buffer.alloc(0)
    let isGreeted = false
    let isBegun = false
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    socket.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk])
      if (!isBegun) {
        const text = rest.toString('latin1')
        if (!isGreeted && text.startsWith('\0AUTH EXTERNAL ') && text.includes('\r\n')) {
          isGreeted = true
          rest = rest.subarray(text.indexOf('\r\n') + 2)
          socket.write(welcome)
        }
        if (rest.subarray(0, 7).toString('latin1') !== 'BEGIN\r\n') return
        rest = rest.subarray(7)
        isBegun = true
      }
      while (rest.length >= 16 && rest.length >= messageLength(rest)) {
        const bytes = rest.subarray(0, messageLength(rest))
        rest = rest.subarray(bytes.length)
        const serial = bytes.readUInt32LE(8)
        const isHello = bytes.includes('Hello')
        if (isHello) socket.write(returning(serial, ':1.1'))
        else answer({ serial, bytes, socket, reply: (made) => socket.write(made) })
      }
    })
  }).listen(path)
  await new Promise((resolve) => server.once('listening', resolve))
  return {
    path,
    get connections() {
      return connections
    },
    get open() {
      return sockets.size
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

export function returning(replyTo: number, text: string): Buffer {
  return makeMessage({ type: 2, replyTo, signature: 's', body: textBody(text) })
}
