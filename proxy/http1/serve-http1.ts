/**
 * A client connection that speaks HTTP/1: its requests are read one after the other, judged, forwarded and answered in order.
 * Bounds: one exchange at a time, one socket buffer in each direction, and a time for everything that a peer may leave unfinished.
 * The socket must have been opened with `allowHalfOpen`, or a client that ends after its request gets no answer.
 */
import type { Duplex } from 'node:stream'
import type { HttpConnection, HttpHooks, HttpSettings } from '../http/exchange.ts'
import { textAnswer } from '../http/local-answer.ts'
import { beginBody, isOver } from './body.ts'
import {
  type Exchange,
  type Http1Client,
  holdBack,
  newClient,
  newExchange,
  setDeadline,
} from './client.ts'
import { answerClient, cutOff, endClient, finishExchange, linger } from './end-exchange.ts'
import { askJudge, judgeRequest, newBorrower, passBody } from './forward-request.ts'
import { requestFraming } from './framing.ts'
import { headBegun, INCOMPLETE, REFUSED } from './head.ts'
import type { Borrower, Http1Pool } from './pool.ts'
import { readHead } from './read-head.ts'
import { endAnsweredEarly, failUpstream } from './relay-response.ts'

export function serveHttp1(
  socket: Duplex,
  hooks: HttpHooks<Http1Pool>,
  settings: HttpSettings,
): HttpConnection {
  let reading = false
  const next = () => {
    if (reading) return
    reading = true
    readRequests(client, borrower)
    reading = false
  }
  const client = newClient(socket, hooks, settings, { due: () => onDue(client), next })
  const borrower = newBorrower(client)
  const closed = listen(client, next)
  setDeadline(client, settings.limits.idleMs)
  return {
    drain() {
      client.draining = true
      if (client.phase === 'idle') endClient(client)
    },
    close(reason) {
      if (client.exchange !== undefined) cutOff(client, client.exchange, reason, undefined)
      else socket.destroy()
    },
    rejudge: () => rejudge(client),
    get inFlight() {
      return client.exchange === undefined ? 0 : 1
    },
    closed,
  }
}

function listen(client: Http1Client, next: () => void): Promise<void> {
  const { socket } = client
  socket.on('data', (chunk: Buffer) => onData(client, chunk, next))
  socket.on('end', () => onEnd(client))
  socket.on('drain', () => {
    client.exchange?.upstream?.socket.resume()
    if (client.phase === 'idle') next()
  })
  // The reason of a reset; what follows from it is done on close.
  socket.on('error', () => {})
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.once('close', () => {
    const { exchange } = client
    if (exchange !== undefined && client.phase === 'tunnel') {
      cutOff(client, exchange, 'via_upstream', undefined)
    } else if (exchange !== undefined) {
      cutOff(client, exchange, 'downstream_remote_disconnect', 'DC')
    }
    client.phase = 'over'
    client.settings.deadlines.delete(client.deadline)
    resolve()
  })
  return promise
}

function onData(client: Http1Client, chunk: Buffer, next: () => void): void {
  const { exchange } = client
  switch (client.phase) {
    case 'idle':
    case 'head':
      client.held = client.held === undefined ? chunk : Buffer.concat([client.held, chunk])
      next()
      return
    case 'judging':
    case 'connecting':
      holdBack(client, chunk)
      return
    case 'relaying':
      if (exchange === undefined || exchange.requestDone) holdBack(client, chunk)
      else passBody(client, exchange, chunk)
      return
    case 'tunnel':
      if (exchange !== undefined) passTunnel(client, exchange, chunk)
      return
    case 'lingering':
      linger(client, chunk.length)
      return
    case 'over':
      return
    default:
      client.phase satisfies never
  }
}

/** Reads and starts requests until one takes its time, or there are no bytes left. */
function readRequests(client: Http1Client, borrower: Borrower): void {
  while (client.held !== undefined || client.exchange?.responseDone) {
    const { held, exchange } = client
    if (exchange?.responseDone && exchange.requestDone) {
      finishExchange(client, exchange)
      continue
    }
    if (client.phase === 'tunnel' && exchange !== undefined && held !== undefined) {
      client.held = undefined
      client.socket.resume()
      passTunnel(client, exchange, held)
      continue
    }
    if (client.phase !== 'idle' && client.phase !== 'head') return
    // A client that does not read its answers gets no more of them.
    if (held === undefined || client.socket.writableNeedDrain) break
    client.held = undefined
    const end = readHead(client.head, held, 0)
    if (end === REFUSED) {
      refuseHead(client)
      return
    }
    if (end === INCOMPLETE) {
      awaitRest(client)
      break
    }
    if (end < held.length) client.held = held.subarray(end)
    beginExchange(client, borrower)
  }
  if (client.phase !== 'idle' && client.phase !== 'head') return
  if (client.held !== undefined) client.socket.pause()
  else if (client.socket.isPaused()) client.socket.resume()
}

/** The clock of a head runs from its first byte, however slowly the others come. */
function awaitRest(client: Http1Client): void {
  if (client.phase !== 'idle' || !headBegun(client.head)) return
  client.phase = 'head'
  setDeadline(client, client.settings.limits.headTimeoutMs)
}

function beginExchange(client: Http1Client, borrower: Borrower): void {
  const { fields } = client.head
  const exchange = newExchange(true, client.settings.clock.now())
  client.exchange = exchange
  beginBody(client.requestBody, requestFraming(fields))
  exchange.requestDone = isOver(client.requestBody)
  exchange.closeAfter = fields.connection.close || fields.version === 'HTTP/1.0'
  client.settings.deadlines.clear(client.deadline)
  judgeRequest(client, exchange, borrower)
  if (client.held !== undefined && client.exchange === exchange) client.socket.pause()
}

/** Nothing after a head that was not understood can be understood. */
function refuseHead(client: Http1Client): void {
  const { status, reason } = client.head.refusal ?? { status: 400, reason: '' }
  answerUnread(client, status, `http1.head_refused: ${reason}`, 'DPE')
}

function answerUnread(
  client: Http1Client,
  status: number,
  details: string,
  flag: 'DPE' | 'RT',
): void {
  const exchange = newExchange(false, client.settings.clock.now())
  client.exchange = exchange
  exchange.closeAfter = true
  answerClient(client, exchange, textAnswer(status, '', details), flag)
}

function passTunnel(client: Http1Client, exchange: Exchange, chunk: Buffer): void {
  exchange.bytesReceived += chunk.length
  setDeadline(client, client.settings.limits.idleMs)
  if (exchange.upstream?.socket.write(chunk) === false) client.socket.pause()
}

function onEnd(client: Http1Client): void {
  const { exchange } = client
  client.ended = true
  if (exchange === undefined) {
    if (client.phase !== 'lingering') endClient(client)
    else if (client.socket.writableFinished) client.socket.destroy()
  } else if (client.phase === 'tunnel') exchange.upstream?.socket.end()
  else if (!exchange.requestDone && client.held === undefined) {
    cutOff(client, exchange, 'downstream_remote_disconnect', 'DC')
  }
}

function onDue(client: Http1Client): void {
  const { exchange } = client
  if (client.phase === 'head') {
    answerUnread(client, 408, 'request_header_timeout', 'RT')
  } else if (exchange === undefined) client.socket.destroy()
  else if (client.phase === 'connecting') failUpstream(client, exchange, { kind: 'overflow' })
  else if (client.phase === 'tunnel') cutOff(client, exchange, 'stream_idle_timeout', 'UT')
  else if (exchange.responseDone) endAnsweredEarly(client, exchange)
  else if (exchange.responseBegun) cutOff(client, exchange, 'stream_idle_timeout', 'UT')
  else {
    const limited = client.settings.limits.responseTimeoutMs > 0
    const kind = limited && exchange.requestDone ? 'response-timeout' : 'idle-timeout'
    failUpstream(client, exchange, { kind })
  }
}

/** What is now denied is answered if nothing was, and cut off otherwise. */
function rejudge(client: Http1Client): void {
  const { exchange } = client
  if (exchange === undefined) return
  if (client.phase === 'judging') {
    exchange.stale = true
    return
  }
  askJudge(client, exchange, 'change', (judgement) => {
    if (judgement.kind === 'forward') return
    exchange.judgement = judgement
    if (exchange.responseBegun) cutOff(client, exchange, judgement.answer.details, undefined)
    else {
      exchange.closeAfter = true
      answerClient(client, exchange, judgement.answer, undefined)
    }
  })
}
