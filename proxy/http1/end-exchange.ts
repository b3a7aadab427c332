/**
 * How an exchange ends: with its response, with an answer of our own, or cut off. Each of these reports it exactly once.
 * Fails closed: wherever the two sides could disagree about where a message ends, the connection ends.
 */
import type { LocalAnswer, ResponseFlag } from '../http/exchange.ts'
import { asGrpcAnswer, grpcStatusOf } from '../http/local-answer.ts'
import { answerBytes } from './answer-bytes.ts'
import { followBody } from './body.ts'
import { type Exchange, type Http1Client, setDeadline } from './client.ts'
import { clearHead } from './head.ts'

/** The response is complete, and so is the request: the upstream goes back, the client may send the next request. */
export function finishExchange(client: Http1Client, exchange: Exchange): void {
  const { upstream, pool, spent } = exchange
  exchange.upstream = undefined
  if (upstream !== undefined) {
    if (spent) pool?.discard(upstream)
    else pool?.giveBack(upstream, client.responseHead.fields.keepAliveSeconds)
  }
  const { closeAfter } = exchange
  report(client, exchange)
  if (closeAfter || client.draining || client.ended) endClient(client)
  else becomeIdle(client)
}

function becomeIdle(client: Http1Client): void {
  client.phase = 'idle'
  setDeadline(client, client.settings.limits.idleMs)
  client.next()
}

/** Answers in the upstream's place; nothing of a response may have been sent. */
export function answerClient(
  client: Http1Client,
  exchange: Exchange,
  answer: LocalAnswer,
  flag: ResponseFlag | undefined,
): void {
  dropUpstream(exchange)
  skipHeldBody(client, exchange)
  if (!exchange.requestDone || client.draining || client.ended) exchange.closeAfter = true
  const grpc = exchange.understood && client.view.grpc
  const sent = grpc ? asGrpcAnswer(answer) : answer
  if (grpc) exchange.grpcStatus = grpcStatusOf(answer.status)
  const withoutBody = exchange.understood && client.view.method === 'HEAD'
  exchange.status = sent.status
  exchange.flag = flag
  exchange.details = answer.details
  exchange.bytesSent = withoutBody ? 0 : Buffer.byteLength(sent.body)
  const date = client.settings.clock.now()
  client.socket.write(answerBytes(sent, { date, close: exchange.closeAfter, withoutBody }))
  finishExchange(client, exchange)
}

/** A small body that is already here need not cost the client its connection. */
function skipHeldBody(client: Http1Client, exchange: Exchange): void {
  const { held } = client
  if (exchange.requestDone || held === undefined) return
  const end = followBody(client.requestBody, held, 0)
  if (end < 0) return
  exchange.requestDone = true
  exchange.bytesReceived += end
  client.held = end < held.length ? held.subarray(end) : undefined
}

/** Ends everything at once: the client sees its connection closed. */
export function cutOff(
  client: Http1Client,
  exchange: Exchange,
  details: string,
  flag: ResponseFlag | undefined,
): void {
  dropUpstream(exchange)
  exchange.details = details
  exchange.flag = flag
  report(client, exchange)
  client.phase = 'over'
  client.socket.destroy()
}

export function dropUpstream(exchange: Exchange): void {
  const { upstream, pool } = exchange
  exchange.upstream = undefined
  if (upstream !== undefined) pool?.discard(upstream)
}

/** Tells of the exchange and forgets it; afterwards the bytes of its head are gone. */
function report(client: Http1Client, exchange: Exchange): void {
  const { startedAt, flag } = exchange
  client.exchange = undefined
  client.hooks.onExchangeEnd({
    head: exchange.understood ? client.view : undefined,
    judgement: exchange.judgement,
    status: exchange.status,
    grpcStatus: exchange.grpcStatus ?? client.responseHead.fields.grpcStatus,
    bytesReceived: exchange.bytesReceived,
    bytesSent: exchange.bytesSent,
    startedAt,
    durationMs: client.settings.clock.now().getTime() - startedAt.getTime(),
    flags: flag === undefined ? NO_FLAGS : [flag],
    details: exchange.details,
  })
  clearHead(client.head)
  clearHead(client.responseHead)
}

const NO_FLAGS: readonly ResponseFlag[] = []

/**
 * Sends what is written, then ends. What the client still sends is read and thrown away for a while: closing with unread bytes
 * would make the kernel reset the connection, and the answer could be lost.
 */
export function endClient(client: Http1Client): void {
  const { limits } = client.settings
  client.phase = 'lingering'
  client.held = undefined
  setDeadline(client, limits.streamIdleMs)
  client.socket.end(() => {
    if (client.ended) client.socket.destroy()
    else setDeadline(client, limits.lingerMs)
  })
  client.socket.resume()
}

/** Bytes that came after the last answer. */
export function linger(client: Http1Client, bytes: number): void {
  client.lingered += bytes
  if (client.lingered > client.settings.limits.lingerBytes) client.socket.destroy()
}
