/**
 * From a stream's head to the upstream that may have it: judged first, then opened on a session of the destination.
 * Fails closed: no stream is opened upstream before `forward`, or without its permit; a judge that throws answers 500.
 */
import type { JudgeOccasion, RequestHead, RequestJudgement } from '../http/exchange.ts'
import { textAnswer } from '../http/local-answer.ts'
import { areWritable } from '../http/writable-edits.ts'
import {
  answerStream,
  cutOffStream,
  type Exchange,
  failStream,
  resetStream,
} from './exchange-stream.ts'
import type { OpenedStream } from './pool.ts'
import { relayRequest, relayResponse } from './relay-streams.ts'
import { forwardedHeaders } from './request-headers.ts'

/** Asks, and calls `then` with the answer in the same turn when the judge gave it at once. */
function askJudge(
  exchange: Exchange,
  head: RequestHead,
  occasion: JudgeOccasion,
  then: (judgement: RequestJudgement) => void,
): void {
  const ifOpen = (judgement: RequestJudgement) => {
    if (!exchange.reported) then(judgement)
  }
  try {
    const asked = exchange.hooks.judge(head, occasion)
    if (asked instanceof Promise) asked.then(ifOpen, () => ifOpen(JUDGE_FAILED))
    else ifOpen(asked)
  } catch {
    ifOpen(JUDGE_FAILED)
  }
}

const JUDGE_FAILED: RequestJudgement = {
  kind: 'answer',
  verdict: undefined,
  answer: textAnswer(500, '', 'judge_failed'),
}

export function judgeStream(exchange: Exchange, head: RequestHead): void {
  exchange.judging = true
  askJudge(exchange, head, 'request', (judgement) => {
    exchange.judging = false
    if (exchange.stale) {
      exchange.stale = false
      judgeStream(exchange, head)
      return
    }
    exchange.judgement = judgement
    if (judgement.kind === 'answer') answerStream(exchange, judgement.answer, undefined)
    else openUpstream(exchange, head, judgement)
  })
}

/** What is now denied is answered if nothing was, and reset otherwise. */
export function rejudgeStream(exchange: Exchange): void {
  const { head } = exchange
  if (head === undefined || exchange.reported) return
  if (exchange.judging) {
    exchange.stale = true
    return
  }
  askJudge(exchange, head, 'change', (judgement) => {
    if (judgement.kind === 'forward') return
    exchange.judgement = judgement
    if (exchange.responseBegun) cutOffStream(exchange, judgement.answer.details, undefined)
    else answerStream(exchange, judgement.answer, undefined)
  })
}

function openUpstream(
  exchange: Exchange,
  head: RequestHead,
  { verdict, edits }: Extract<RequestJudgement, { kind: 'forward' }>,
): void {
  if (edits !== undefined && !areWritable(edits)) {
    answerStream(exchange, textAnswer(400, '', 'header_edit_malformed'), undefined)
    return
  }
  const pool = exchange.hooks.upstream(verdict.permit, head)
  const opened = pool.open(forwardedHeaders(exchange.raw, head, edits), exchange.endStream)
  if (opened instanceof Promise) void opened.then((late) => useUpstream(exchange, late))
  else useUpstream(exchange, opened)
}

function useUpstream(exchange: Exchange, opened: OpenedStream): void {
  if (opened.kind === 'failed') {
    if (!exchange.reported) failStream(exchange, opened.failure)
    return
  }
  const { stream } = opened
  if (exchange.reported) {
    stream.on('error', () => {})
    resetStream(stream, 'the exchange is over')
    return
  }
  const { responseTimeoutMs, streamIdleMs } = exchange.settings.limits
  exchange.upstream = stream
  exchange.settings.deadlines.set(
    exchange.deadline,
    responseTimeoutMs > 0 ? responseTimeoutMs : streamIdleMs,
  )
  relayResponse(exchange, stream)
  if (!exchange.endStream) relayRequest(exchange, stream)
}
