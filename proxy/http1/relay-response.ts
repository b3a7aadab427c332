/**
 * From the upstream to the client: heads are read, bodies followed, bytes passed on as they came. A response that cannot be
 * understood is not passed on (502); one that breaks in its middle is cut off, so that no client takes a part for the whole.
 */
import { answerFailure, type UpstreamFailure } from '../http/local-answer.ts'
import { BROKEN, beginBody, followBody, MORE } from './body.ts'
import { type Exchange, type Http1Client, setDeadline } from './client.ts'
import { answerClient, cutOff, dropUpstream, finishExchange } from './end-exchange.ts'
import { responseTurn } from './framing.ts'
import { clearHead, INCOMPLETE, REFUSED } from './head.ts'
import { readHead } from './read-head.ts'
import { rewriteResponse } from './rewrite-head.ts'

/** 1xx responses before the real one. Endless ones would keep an exchange alive for nothing. */
const MAX_INTERIM_RESPONSES = 16
/** Bytes of a body that are copied behind a rewritten head, to leave in one write. */
const MAX_COPIED_BYTES = 8 * 1024

/** No response comes: answers in its place. */
export function failUpstream(
  client: Http1Client,
  exchange: Exchange,
  failure: UpstreamFailure,
): void {
  const { answer, flag } = answerFailure(failure)
  answerClient(client, exchange, answer, flag)
}

export function relayFromUpstream(client: Http1Client, exchange: Exchange, chunk: Buffer): void {
  if (client.phase === 'tunnel') {
    setDeadline(client, client.settings.limits.idleMs)
    exchange.bytesSent += chunk.length
    writeToClient(client, exchange, chunk)
    return
  }
  if (exchange.responseDone) {
    // More than the response: nobody may take it for the next one.
    exchange.spent = true
    return
  }
  setDeadline(client, client.settings.limits.streamIdleMs)
  if (exchange.responseBegun) relayBody(client, exchange, chunk, 0)
  else relayHead(client, exchange, chunk)
}

function relayHead(client: Http1Client, exchange: Exchange, chunk: Buffer): void {
  const head = client.responseHead
  let from = 0
  while (from < chunk.length) {
    const end = readHead(head, chunk, from)
    if (end === INCOMPLETE) return
    if (end === REFUSED) {
      const reason = head.refusal?.reason ?? ''
      failUpstream(client, exchange, { kind: 'protocol-error', reason })
      return
    }
    const turn = responseTurn(client.view.method, exchange.upgrading, head.fields)
    switch (turn.kind) {
      case 'interim':
        from = end
        if (!relayInterim(client, exchange)) return
        break
      case 'tunnel':
        beginTunnel(client, exchange, chunk, end)
        return
      case 'body':
        exchange.responseBegun = true
        exchange.status = head.fields.status
        beginBody(client.responseBody, turn.framing)
        if (turn.framing.kind === 'until-close') exchange.spent = true
        relayFirstBytes(client, exchange, chunk, end)
        return
      case 'refused':
        failUpstream(client, exchange, { kind: 'protocol-error', reason: turn.reason })
        return
      default:
        turn satisfies never
    }
  }
}

/** @returns false when there were too many */
function relayInterim(client: Http1Client, exchange: Exchange): boolean {
  const { responseHead: head } = client
  exchange.interims += 1
  if (exchange.interims > MAX_INTERIM_RESPONSES) {
    failUpstream(client, exchange, { kind: 'protocol-error', reason: 'too many 1xx responses' })
    return false
  }
  // RFC 9110 §15.2: HTTP/1.0 knows no 1xx.
  if (client.view.version === 'HTTP/1.1') {
    writeToClient(client, exchange, head.bytes.subarray(head.start, head.end))
  }
  clearHead(head)
  return true
}

/** The head and what of the body came with it, in one write where that costs no large copy. */
function relayFirstBytes(
  client: Http1Client,
  exchange: Exchange,
  chunk: Buffer,
  end: number,
): void {
  const { responseHead: head } = client
  const { fields } = head
  const bodyEnd = followBody(client.responseBody, chunk, end)
  if (bodyEnd === BROKEN) {
    failUpstream(client, exchange, {
      kind: 'protocol-error',
      reason: client.responseBody.refusal ?? '',
    })
    return
  }
  const stop = bodyEnd === MORE ? chunk.length : bodyEnd
  if (fields.connection.close || fields.version === 'HTTP/1.0') exchange.spent = true
  if (exchange.spent && client.responseBody.state === 'until-close') exchange.closeAfter = true
  if (client.draining || fields.version === 'HTTP/1.0') exchange.closeAfter = true
  exchange.bytesSent += stop - end
  const unchanged = !fields.hasHop && !exchange.closeAfter
  if (unchanged && head.held === 0) {
    const whole = head.start === 0 && stop === chunk.length
    writeToClient(client, exchange, whole ? chunk : chunk.subarray(head.start, stop))
  } else {
    const first = unchanged
      ? head.bytes.subarray(head.start, head.end)
      : rewriteResponse(head, exchange.closeAfter)
    writeBoth(client, exchange, first, chunk.subarray(end, stop))
  }
  if (bodyEnd !== MORE) endResponse(client, exchange, bodyEnd < chunk.length)
}

function writeBoth(client: Http1Client, exchange: Exchange, first: Buffer, second: Buffer): void {
  if (second.length === 0) writeToClient(client, exchange, first)
  else if (second.length <= MAX_COPIED_BYTES) {
    writeToClient(client, exchange, Buffer.concat([first, second]))
  } else {
    client.socket.write(first)
    writeToClient(client, exchange, second)
  }
}

function relayBody(client: Http1Client, exchange: Exchange, chunk: Buffer, from: number): void {
  const end = followBody(client.responseBody, chunk, from)
  if (end === BROKEN) {
    cutOff(client, exchange, 'upstream_response_body_malformed', 'UPE')
    return
  }
  const stop = end === MORE ? chunk.length : end
  exchange.bytesSent += stop - from
  writeToClient(client, exchange, stop === chunk.length ? chunk : chunk.subarray(from, stop))
  if (end !== MORE) endResponse(client, exchange, end < chunk.length)
}

/** @param surplus more bytes came than the response has */
function endResponse(client: Http1Client, exchange: Exchange, surplus: boolean): void {
  exchange.responseDone = true
  if (surplus) exchange.spent = true
  if (exchange.requestDone) finishExchange(client, exchange)
  else {
    // Answered early: the server may still want the rest of the request, but not for long.
    exchange.closeAfter = true
    setDeadline(client, client.settings.limits.lingerMs)
  }
}

/** The upstream takes no more of a request that it has answered: reports it and lets the client go. */
export function endAnsweredEarly(client: Http1Client, exchange: Exchange): void {
  exchange.closeAfter = true
  dropUpstream(exchange)
  finishExchange(client, exchange)
}

function beginTunnel(client: Http1Client, exchange: Exchange, chunk: Buffer, end: number): void {
  const { responseHead: head } = client
  exchange.responseBegun = true
  exchange.status = head.fields.status
  exchange.spent = true
  client.phase = 'tunnel'
  setDeadline(client, client.settings.limits.idleMs)
  exchange.bytesSent += chunk.length - end
  const rest = chunk.subarray(end)
  writeBoth(client, exchange, head.bytes.subarray(head.start, head.end), rest)
  client.next()
}

/** With backpressure: a client that does not read stops the upstream, at one buffer of the socket. */
function writeToClient(client: Http1Client, exchange: Exchange, bytes: Buffer): void {
  if (!client.socket.write(bytes)) exchange.upstream?.socket.pause()
}

/** The upstream sent its last byte. */
export function upstreamEnded(client: Http1Client, exchange: Exchange): void {
  if (client.phase === 'tunnel') {
    client.socket.end()
    return
  }
  if (exchange.responseDone) {
    endAnsweredEarly(client, exchange)
    return
  }
  if (exchange.responseBegun && client.responseBody.state === 'until-close') {
    exchange.responseDone = true
    exchange.closeAfter = true
    finishExchange(client, exchange)
    return
  }
  upstreamLost(client, exchange, undefined)
}

/** The connection is gone in the middle of an exchange. */
export function upstreamLost(client: Http1Client, exchange: Exchange, error: unknown): void {
  if (client.phase === 'tunnel') endTunnel(client, exchange, error)
  else if (exchange.responseDone) endAnsweredEarly(client, exchange)
  else if (exchange.responseBegun) {
    cutOff(client, exchange, 'upstream_reset_after_response_started{connection_termination}', 'UC')
  } else failUpstream(client, exchange, { kind: 'terminated' })
}

/** What the server sent before it closed still reaches the client; after a reset, the client is reset too. */
function endTunnel(client: Http1Client, exchange: Exchange, error: unknown): void {
  exchange.requestDone = true
  if (error === undefined) endAnsweredEarly(client, exchange)
  else cutOff(client, exchange, 'via_upstream', 'UC')
}
