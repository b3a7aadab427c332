/**
 * Bounds what the processes at a socket make this one keep: streams, from their head on and whatever they ask for, requests that are
 * begun, and answers that nobody reads. A stream too many is refused; a request too many ends its stream; an answer waits until
 * its process has read enough of those before, and a call until others have had their turn. What a process may not have, it alone
 * does without.
 */
import { channel } from 'node:diagnostics_channel'
import { constants, type ServerHttp2Stream } from 'node:http2'
import {
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
} from '@grpc/grpc-js'
import { IdentityError } from '../spiffe/error.ts'
import { beginInTurn } from './begin-in-turn.ts'
import { countPerTurn } from './count-per-turn.ts'
import { followMessages } from './follow-messages.ts'
import {
  type Bounds,
  type Excess,
  type Holder,
  refusalOf,
  type Shares,
  shareOut,
} from './share-out.ts'
import { toStatus } from './status.ts'
import { type Writers, writeInTurn } from './write-in-turn.ts'

export interface StreamBounds {
  /** Open streams; each costs some kilobytes before anything is asked over it. */
  readonly streams: Bounds
  /** Bytes of requests that are begun or looked at. */
  readonly requestBytes: Bounds
  /** Bytes of answers that the kernel has not taken yet; each process may exceed it by one answer. */
  readonly unsentBytes: Bounds
}

export interface StreamDoor {
  /** Who is behind a connection, by the key of its peer: an object of its own for each; undefined: it is none of this socket's. */
  holderOf(key: string): Holder | undefined
  /** Cuts a connection, by that key. */
  cut(key: string): void
  /** Cuts all connections of a process. */
  cutProcess(pid: number, error: IdentityError): void
  onRefused(excess: Excess, error: IdentityError): void
}

export interface BoundStreams extends Disposable {
  /** For every call of the socket. */
  readonly interceptor: ServerInterceptor
}

/** Streams that were refused and are still open, because that is not read: beyond it the connection is cut. */
const REFUSED: Bounds = { perProcess: 1_024, total: 16_384 }
/**
 * Streams that are refused on one connection with none let in between, however soon they close: each costs us more than its caller.
 * Whoever keeps to what a connection may have at once is told why before.
 */
const MAX_REFUSALS_PER_CONNECTION = 1_024
/**
 * How many times as many streams as a process may have open it may open in one turn of the event loop, on all its connections: one
 * that is reset at once never counts among the open ones, and whoever opens them by the hundred thousand is at an end here.
 */
const OPENED_PER_TURN = 2
/** Where a process may have few open: whoever is refused may try anew at once. */
const MIN_OPENED_PER_TURN = 256

interface SeenStream {
  readonly holder: Holder
  /** Refused when its call begins; undefined: it is let in. */
  readonly refusal: IdentityError | undefined
}

/** Disposing leaves the streams that are open alone, and counts no more. */
export function boundStreams(bounds: StreamBounds, door: StreamDoor): BoundStreams {
  const streams = shareOut(bounds.streams)
  const refused = shareOut(REFUSED)
  const requests = shareOut(bounds.requestBytes)
  const writers = writeInTurn(bounds.unsentBytes)
  const begin = beginInTurn()
  const perTurn = Math.max(OPENED_PER_TURN * bounds.streams.perProcess, MIN_OPENED_PER_TURN)
  const isTooManyNow = countPerTurn(perTurn)
  const known = new WeakMap<object, SeenStream>()
  const refusals = new WeakMap<object, number>()
  const seen = (message: unknown) => {
    // Cast: Node publishes nothing else here.
    const { stream } = message as { readonly stream: ServerHttp2Stream }
    const key = stream.session?.socket.remoteAddress ?? ''
    const holder = door.holderOf(key)
    if (holder === undefined) return
    if (isTooManyNow(holder.pid)) {
      // Later, as below. Fails closed: what else it had open goes as well.
      queueMicrotask(() => door.cutProcess(holder.pid, floodOf(holder, perTurn)))
    }
    const excess = streams.excess(holder, 1)
    const counted = excess === undefined ? streams : refused
    const refusal = excess && refusalOf(excess, 'open streams', 'close some or share one stream')
    known.set(stream, { holder, refusal })
    if (refusal === undefined) refusals.delete(holder)
    if (excess !== undefined && refusal !== undefined) {
      door.onRefused(excess, refusal)
      const refusedSoFar = (refusals.get(holder) ?? 0) + 1
      refusals.set(holder, refusedSoFar)
      const isFlood =
        refusedSoFar > MAX_REFUSALS_PER_CONNECTION || refused.excess(holder, 1) !== undefined
      // When what was read has been seen to: grpc-js is about to answer on this stream, and throws when it has gone.
      if (isFlood) queueMicrotask(() => door.cut(key))
    }
    counted.hold(holder, 1)
    stream.once('close', () => counted.release(holder, 1))
    countRequests(stream, holder, requests, door)
  }
  const created = channel('http2.server.stream.created')
  created.subscribe(seen)
  return {
    interceptor: (_, call) => {
      const stream = streamOf(call)
      const { holder, refusal } = known.get(stream) ?? {}
      if (holder === undefined) return new ServerInterceptingCall(call) // its connection has just closed
      if (refusal !== undefined) return refuse(call, stream, refusal)
      return new ServerInterceptingCall(inTurn(call, writers.of(holder, stream)), {
        start: (next) => begin(holder.pid, stream, next),
      })
    },
    [Symbol.dispose]: () => created.unsubscribe(seen),
  }
}

function floodOf({ pid }: Holder, limit: number): IdentityError {
  const why = `process ${pid} opened more than ${limit} streams at once; its connections are cut, it should wait for answers`
  return new IdentityError('RATE_LIMITED', why)
}

/** grpc-js shows a call's stream to nobody; what one process has asked for and not read is known only there. */
function streamOf(call: ServerInterceptingCallInterface): ServerHttp2Stream {
  // Cast: the first interceptor is given grpc-js's own call, whose field is private.
  const { stream } = call as unknown as { readonly stream?: ServerHttp2Stream }
  if (stream === undefined) throw new Error('grpc-js has calls without a stream') // fails closed
  return stream
}

/** Ends the stream as soon as its process has more in requests than it may; gRPC says RESOURCE_EXHAUSTED for this code. */
function countRequests(
  stream: ServerHttp2Stream,
  holder: Holder,
  requests: Shares,
  door: StreamDoor,
): void {
  const follow = followMessages()
  let held = 0
  let isOver = false
  const become = (bytes: number) => {
    requests.release(holder, held)
    held = bytes
    requests.hold(holder, held)
  }
  stream.on('data', (chunk: Buffer) => {
    if (isOver) return
    const next = follow(chunk)
    const excess = requests.excess(holder, Math.max(0, next - held))
    become(next)
    if (excess === undefined) return
    isOver = true
    const advice = 'send smaller requests, or fewer at once'
    door.onRefused(excess, refusalOf(excess, 'bytes of open requests', advice))
    stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM)
  })
  stream.once('close', () => {
    isOver = true
    become(0)
  })
}

/** No handler hears of it; the stream is closed although its caller may have more to say. */
function refuse(
  call: ServerInterceptingCallInterface,
  stream: ServerHttp2Stream,
  refusal: IdentityError,
): ServerInterceptingCall {
  call.sendStatus(toStatus(refusal))
  stream.close()
  return new ServerInterceptingCall(call, { start() {} })
}

function inTurn(
  call: ServerInterceptingCallInterface,
  write: ReturnType<Writers['of']>,
): ServerInterceptingCallInterface {
  let isWaiting = false
  let status: Parameters<ServerInterceptingCallInterface['sendStatus']>[0] | undefined
  return {
    start: (listener) => call.start(listener),
    sendMetadata: (metadata) => call.sendMetadata(metadata),
    sendMessage(message, callback) {
      isWaiting = true
      write((written) => {
        isWaiting = false
        call.sendMessage(message, () => {
          written()
          callback()
        })
        if (status !== undefined) call.sendStatus(status)
      })
    },
    sendStatus(ended) {
      if (isWaiting) status = ended
      else call.sendStatus(ended)
    },
    startRead: () => call.startRead(),
    getPeer: () => call.getPeer(),
    getDeadline: () => call.getDeadline(),
    getHost: () => call.getHost(),
    getAuthContext: () => call.getAuthContext(),
    getConnectionInfo: () => call.getConnectionInfo(),
    getMetricsRecorder: () => call.getMetricsRecorder(),
  }
}
