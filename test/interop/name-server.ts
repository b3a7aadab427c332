/** A name server of one address: every name is this machine, but for those it is told not to know. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'

export interface NameServer extends AsyncDisposable {
  /** Host and port. */
  readonly address: string
}

const HEADER_BYTES = 12
const TYPE_A = 1
const NO_SUCH_NAME = 3

/** @see RFC 1035 §4 — one question, at most one answer */
export async function startNameServer(unknown: readonly string[] = []): Promise<NameServer> {
  const socket = createSocket('udp4')
  socket.on('message', (question, from) => {
    socket.send(answer(question, unknown), from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    address: `127.0.0.1:${socket.address().port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(socket, 'close')
      socket.close()
      await closed
    },
  }
}

function answer(question: Buffer, unknown: readonly string[]): Buffer {
  const labels: string[] = []
  let at = HEADER_BYTES
  for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
    labels.push(question.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  const end = at + 1 + 4
  const isKnown = !unknown.includes(labels.join('.').toLowerCase())
  const hasAddress = isKnown && question.readUInt16BE(at + 1) === TYPE_A
  const header = Buffer.alloc(HEADER_BYTES)
  question.copy(header, 0, 0, 2)
  header.writeUInt16BE(0x8180 | (isKnown ? 0 : NO_SUCH_NAME), 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(hasAddress ? 1 : 0, 6)
  const here = Buffer.from([0xc0, HEADER_BYTES, 0, TYPE_A, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1])
  const asked = question.subarray(HEADER_BYTES, end)
  return Buffer.concat(hasAddress ? [header, asked, here] : [header, asked])
}
