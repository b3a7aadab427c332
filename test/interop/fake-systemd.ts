/** A service on a real message bus that answers as systemd does, of the processes that a test names. */
import { connect, type Socket } from 'node:net'
import {
  FIXED_HEADER_BYTES,
  messageLength,
  readMessage,
  writeCall,
} from '../../agent/dbus/message.ts'
import { makeMessage, textBody, variantBody } from '../agent/dbus/bus-messages.ts'

export interface Unit {
  readonly id: string
  readonly fragmentPath: string
}

const NAME = 'org.freedesktop.systemd1'
const BUS = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
}

/** @param unitOf the unit of a process, or none */
export async function serveAsSystemd(
  busPath: string,
  unitOf: (pid: number) => Unit | undefined,
): Promise<Disposable> {
  const socket = connect(busPath)
  const uid = Buffer.from(String(process.getuid?.() ?? 0)).toString('hex')
  socket.write(`\0AUTH EXTERNAL ${uid}\r\n`)
  const [welcome] = await once(socket)
  if (!String(welcome).startsWith('OK ')) throw new Error(`the bus refused us: ${welcome}`)
  const ready = Promise.withResolvers<void>()
  let rest = Buffer.alloc(0)
  let named: Unit | undefined
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= FIXED_HEADER_BYTES && rest.length >= messageLength(rest)) {
      const bytes = rest.subarray(0, messageLength(rest))
      rest = rest.subarray(bytes.length)
      if (readMessage(bytes).replyTo === 2) ready.resolve()
      if (bytes[1] !== 1) continue
      const text = bytes.toString('latin1')
      if (text.includes('GetUnitByPID')) named = unitOf(bytes.readUInt32LE(bytes.length - 4))
      socket.write(answer(bytes, text, named))
    }
  })
  socket.write('BEGIN\r\n')
  socket.write(writeCall({ ...BUS, serial: 1, member: 'Hello', args: [] }))
  const args = [
    { type: 's', value: NAME },
    { type: 'u', value: 0 },
  ] as const
  socket.write(writeCall({ ...BUS, serial: 2, member: 'RequestName', args }))
  await ready.promise
  return { [Symbol.dispose]: () => socket.destroy() }
}

function answer(bytes: Buffer, text: string, unit: Unit | undefined): Buffer {
  const to = { replyTo: bytes.readUInt32LE(8), destination: senderOf(text) }
  if (text.includes('GetUnitByPID')) {
    if (unit !== undefined) {
      const body = textBody('/org/freedesktop/systemd1/unit/a')
      return makeMessage({ ...to, type: 2, signature: 'o', body })
    }
    const body = textBody('PID does not belong to any loaded unit.')
    return makeMessage({ ...to, type: 3, errorName: `${NAME}.NoUnitForPID`, signature: 's', body })
  }
  const value = text.includes('FragmentPath') ? unit?.fragmentPath : unit?.id
  return makeMessage({ ...to, type: 2, signature: 'v', body: variantBody(value ?? '') })
}

/** The bus names who calls, as `:1.7`. */
function senderOf(text: string): string {
  return /:1\.\d+/.exec(text)?.[0] ?? ''
}

async function once(socket: Socket): Promise<readonly unknown[]> {
  return new Promise((resolve, reject) => {
    socket.once('data', (...args) => resolve(args))
    socket.once('error', reject)
  })
}
