/**
 * From a request that was read to the upstream that may have it: judged first, then sent, its body passed on as it comes.
 * Fails closed: without `forward` from the judge, and without its permit, nothing is sent; a judge that throws answers 500.
 */
import type { JudgeOccasion, RequestJudgement } from '../http/exchange.ts'
import { textAnswer } from '../http/local-answer.ts'
import { IDEMPOTENT } from '../http/methods.ts'
import { areWritable } from '../http/writable-edits.ts'
import { BROKEN, followBody, MORE } from './body.ts'
import { type Exchange, type Http1Client, holdBack, setDeadline } from './client.ts'
import { answerClient, cutOff, dropUpstream } from './end-exchange.ts'
import { headBegun } from './head.ts'
import type { Borrower, Taken, UpstreamConnection } from './pool.ts'
import { failUpstream, relayFromUpstream, upstreamEnded, upstreamLost } from './relay-response.ts'
import { isUpgrading, mustRewriteRequest, rewriteRequest } from './rewrite-head.ts'

/** Asks, and calls `then` with the answer in the same turn when the judge gave it at once. */
export function askJudge(
  client: Http1Client,
  exchange: Exchange,
  occasion: JudgeOccasion,
  then: (judgement: RequestJudgement) => void,
): void {
  const ifCurrent = (judgement: RequestJudgement) => {
    if (client.exchange === exchange) then(judgement)
  }
  try {
    const asked = client.hooks.judge(client.view, occasion)
    if (asked instanceof Promise) asked.then(ifCurrent, () => ifCurrent(JUDGE_FAILED))
    else ifCurrent(asked)
  } catch {
    ifCurrent(JUDGE_FAILED)
  }
}

const JUDGE_FAILED: RequestJudgement = {
  kind: 'answer',
  verdict: undefined,
  answer: textAnswer(500, '', 'judge_failed'),
}

export function judgeRequest(client: Http1Client, exchange: Exchange, borrower: Borrower): void {
  client.phase = 'judging'
  askJudge(client, exchange, 'request', (judgement) => {
    if (exchange.stale) {
      exchange.stale = false
      judgeRequest(client, exchange, borrower)
      return
    }
    exchange.judgement = judgement
    if (judgement.kind === 'answer') answerClient(client, exchange, judgement.answer, undefined)
    else connectUpstream(client, exchange, borrower, judgement)
  })
}

function connectUpstream(
  client: Http1Client,
  exchange: Exchange,
  borrower: Borrower,
  { verdict, edits }: Extract<RequestJudgement, { kind: 'forward' }>,
): void {
  if (edits !== undefined && !areWritable(edits)) {
    answerClient(client, exchange, textAnswer(400, '', 'header_edit_malformed'), undefined)
    return
  }
  exchange.permit = verdict.permit
  exchange.edits = edits
  exchange.upgrading = isUpgrading(client.head)
  exchange.pool = client.hooks.upstream(verdict.permit, client.view)
  takeUpstream(client, exchange, borrower)
}

function takeUpstream(client: Http1Client, exchange: Exchange, borrower: Borrower): void {
  client.phase = 'connecting'
  // A connection has its own time; this one ends the wait for a place in a pool that is full.
  setDeadline(client, 2 * client.settings.limits.connectTimeoutMs)
  const taken = exchange.pool?.take()
  if (taken instanceof Promise) {
    void taken.then((late) => {
      if (client.exchange === exchange) useUpstream(client, exchange, borrower, late)
      else if (late.kind === 'connection') exchange.pool?.giveBack(late, -1)
    })
  } else if (taken !== undefined) useUpstream(client, exchange, borrower, taken)
}

function useUpstream(
  client: Http1Client,
  exchange: Exchange,
  borrower: Borrower,
  taken: Taken,
): void {
  if (taken.kind === 'failed') {
    failUpstream(client, exchange, taken.failure)
    return
  }
  taken.borrower = borrower
  exchange.upstream = taken
  sendRequest(client, exchange, taken)
}

function sendRequest(
  client: Http1Client,
  exchange: Exchange,
  { socket }: UpstreamConnection,
): void {
  const { head } = client
  const { responseTimeoutMs, streamIdleMs } = client.settings.limits
  client.phase = 'relaying'
  setDeadline(client, responseTimeoutMs > 0 ? responseTimeoutMs : streamIdleMs)
  const bytes = mustRewriteRequest(head, exchange.edits)
    ? rewriteRequest(head, exchange.edits, exchange.upgrading)
    : head.start === 0 && head.end === head.bytes.length
      ? head.bytes
      : head.bytes.subarray(head.start, head.end)
  if (exchange.requestDone) {
    socket.write(bytes)
    return
  }
  socket.cork()
  socket.write(bytes)
  const { held } = client
  client.held = undefined
  if (held !== undefined) passBody(client, exchange, held)
  socket.uncork()
  if (client.exchange !== exchange) return
  if (client.ended && !exchange.requestDone) {
    cutOff(client, exchange, 'downstream_remote_disconnect', 'DC')
  } else if (client.held === undefined && !socket.writableNeedDrain) client.socket.resume()
}

/** Bytes of the request's body; what follows it is kept for the next request. */
export function passBody(client: Http1Client, exchange: Exchange, chunk: Buffer): void {
  const end = followBody(client.requestBody, chunk, 0)
  if (end === BROKEN) {
    refuseBody(client, exchange)
    return
  }
  const stop = end === MORE ? chunk.length : end
  exchange.bytesReceived += stop
  setDeadline(client, client.settings.limits.streamIdleMs)
  const { upstream } = exchange
  if (stop > 0 && upstream !== undefined) {
    const bytes = stop === chunk.length ? chunk : chunk.subarray(0, stop)
    if (!upstream.socket.write(bytes)) client.socket.pause()
  }
  if (end === MORE) return
  exchange.requestDone = true
  if (end < chunk.length) holdBack(client, chunk.subarray(end))
  if (exchange.responseDone) client.next()
}

/** The upstream has a part of the body and will never get the rest. */
function refuseBody(client: Http1Client, exchange: Exchange): void {
  if (exchange.responseBegun) {
    cutOff(client, exchange, 'http1.body_malformed', 'DPE')
    return
  }
  exchange.closeAfter = true
  const reason = client.requestBody.refusal ?? ''
  answerClient(client, exchange, textAnswer(400, '', `http1.body_malformed: ${reason}`), 'DPE')
}

/** What the connection to the upstream tells, for whatever exchange goes on at the time. */
export function newBorrower(client: Http1Client): Borrower {
  const borrower: Borrower = {
    onData(chunk) {
      if (client.exchange !== undefined) relayFromUpstream(client, client.exchange, chunk)
    },
    onEnd() {
      const { exchange } = client
      if (exchange === undefined) return
      if (mayRetry(client, exchange)) retry(client, exchange, borrower)
      else upstreamEnded(client, exchange)
    },
    onClose(error) {
      const { exchange } = client
      if (exchange === undefined) return
      if (mayRetry(client, exchange)) retry(client, exchange, borrower)
      else {
        exchange.upstream = undefined
        upstreamLost(client, exchange, error)
      }
    },
    onDrain() {
      if (client.phase === 'relaying' || client.phase === 'tunnel') {
        if (client.held === undefined) client.socket.resume()
      }
    },
  }
  return borrower
}

/**
 * A kept connection may close just as it is used. Once, and only when nothing of an answer came and the request may be repeated,
 * the request goes out again. @see RFC 9112 §9.3.1
 */
function mayRetry(client: Http1Client, exchange: Exchange): boolean {
  return (
    client.phase === 'relaying' &&
    !exchange.retried &&
    !exchange.responseBegun &&
    exchange.interims === 0 &&
    exchange.bytesReceived === 0 &&
    exchange.requestDone &&
    (exchange.upstream?.served ?? 0) > 0 &&
    IDEMPOTENT.has(client.view.method) &&
    !headBegun(client.responseHead)
  )
}

function retry(client: Http1Client, exchange: Exchange, borrower: Borrower): void {
  exchange.retried = true
  dropUpstream(exchange)
  takeUpstream(client, exchange, borrower)
}
