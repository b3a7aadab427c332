/**
 * A connection to a message bus over its Unix socket: says who we are (SASL EXTERNAL, by which the kernel vouches for
 * our user ID), greets the bus, and calls methods of services on it. Signals and calls to us are passed over.
 *
 * @see https://dbus.freedesktop.org/doc/dbus-specification.html — authentication, message bus
 */
import { connect, type Socket } from 'node:net'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import {
  type CallArgument,
  FIXED_HEADER_BYTES,
  type Message,
  type MethodCall,
  messageLength,
  readMessage,
  writeCall,
} from './message.ts'

export type Call = Omit<MethodCall, 'serial'>

export interface BusConnection extends Disposable {
  readonly isOpen: boolean
  /**
   * @returns the texts of the reply
   * @throws IdentityError UNAVAILABLE with what the service refused, or why the bus gave no answer
   */
  call(call: Call): Promise<readonly string[]>
}

export interface BusOptions {
  readonly socketPath: string
  /** Our own user ID. */
  readonly ownUid: number
  readonly clock: Clock
}

const ANSWER_TIMEOUT_MS = 10_000
/** More calls at once are refused. */
const MAX_PENDING_CALLS = 1000
/** Of one line while we say who we are. */
const MAX_LINE_BYTES = 1024

const BUS = 'org.freedesktop.DBus'

/** @throws IdentityError UNAVAILABLE */
export async function connectBus(options: BusOptions): Promise<BusConnection> {
  const { socketPath, ownUid } = options
  const socket = connect(socketPath)
  const conversation = converse(socket, options)
  try {
    await conversation.authenticate(ownUid)
    await conversation.call({ ...ofBus, member: 'Hello', args: noArgs })
    return conversation
  } catch (error) {
    socket.destroy()
    throw error
  }
}

const noArgs: readonly CallArgument[] = []
const ofBus = { destination: BUS, path: '/org/freedesktop/DBus', interface: BUS } as const

interface Conversation extends BusConnection {
  authenticate(uid: number): Promise<void>
}

interface Waiting {
  resolve(message: Message): void
  reject(error: unknown): void
}

function converse(socket: Socket, { socketPath, clock }: BusOptions): Conversation {
  const pending = new Map<number, Waiting>()
  const accepted = Promise.withResolvers<void>()
  accepted.promise.catch(() => {}) // whoever authenticates hears of it
  let problem: IdentityError | undefined
  let isAuthenticated = false
  let rest = Buffer.alloc(0)
  let serial = 0

  const fail = (error: unknown) => {
    if (problem !== undefined) return
    const message = `the message bus at ${socketPath}: ${reasonOf(error)}`
    problem = new IdentityError('UNAVAILABLE', message, { cause: error })
    socket.destroy()
    accepted.reject(problem)
    for (const { reject } of pending.values()) reject(problem)
    pending.clear()
  }
  const readLine = () => {
    const end = rest.indexOf('\r\n')
    if (end === -1 && rest.length > MAX_LINE_BYTES)
      throw new Error('it answered with an endless line')
    if (end === -1) return
    const line = rest.subarray(0, end).toString('latin1')
    rest = rest.subarray(end + 2)
    if (!/^OK [0-9a-f]{32}$/.test(line)) throw new Error(`it refused us: ${JSON.stringify(line)}`)
    isAuthenticated = true
    accepted.resolve()
  }
  const readMessages = () => {
    while (rest.length >= FIXED_HEADER_BYTES) {
      const length = messageLength(rest)
      if (rest.length < length) return
      const message = readMessage(rest.subarray(0, length))
      rest = rest.subarray(length)
      if (message.replyTo === undefined) continue
      pending.get(message.replyTo)?.resolve(message)
      pending.delete(message.replyTo)
    }
  }
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk])
    try {
      if (!isAuthenticated) readLine()
      if (isAuthenticated) readMessages()
    } catch (error) {
      fail(error)
    }
  })
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('it closed the connection')))
  // Whoever only waits for the bus to say something does not keep the process alive.
  socket.unref()

  /** A bus that is silent is given up as a whole, so that the next caller connects anew. */
  const inTime = async <T>(wanted: Promise<T>): Promise<T> => {
    const done = new AbortController()
    void clock.sleep(ANSWER_TIMEOUT_MS, done.signal).then(() => {
      if (!done.signal.aborted) fail(new Error(`no answer within ${ANSWER_TIMEOUT_MS / 1000} s`))
    })
    try {
      return await wanted
    } finally {
      done.abort()
    }
  }

  return {
    get isOpen() {
      return problem === undefined
    },
    async authenticate(uid) {
      const id = Buffer.from(String(uid)).toString('hex')
      socket.write(`\0AUTH EXTERNAL ${id}\r\n`)
      await inTime(accepted.promise)
      socket.write('BEGIN\r\n')
    },
    async call(call) {
      if (problem !== undefined) throw problem
      if (pending.size >= MAX_PENDING_CALLS) {
        throw new IdentityError(
          'UNAVAILABLE',
          `${MAX_PENDING_CALLS} calls wait for the message bus`,
        )
      }
      serial = (serial % 0xffff_ffff) + 1
      const { promise, resolve, reject } = Promise.withResolvers<Message>()
      pending.set(serial, { resolve, reject })
      socket.write(writeCall({ ...call, serial }))
      const reply = await inTime(promise)
      if (reply.type === 'return') return reply.texts
      const why = [reply.errorName, ...reply.texts.slice(0, 1)].join(': ')
      throw new IdentityError('UNAVAILABLE', `${call.destination} refused ${call.member}: ${why}`)
    },
    [Symbol.dispose]: () => fail(new Error('the connection was closed')),
  }
}
