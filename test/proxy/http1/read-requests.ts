/** Reads a stream of bytes as requests, with our own parser and with Node's (llhttp), in the same form for comparison. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { duplexPair } from 'node:stream'
import { beginBody, followBody, isOver, newBody } from '../../../proxy/http1/body.ts'
import { requestFraming } from '../../../proxy/http1/framing.ts'
import { clearHead, headerValue, REFUSED, SLOTS } from '../../../proxy/http1/head.ts'
import { readHead } from '../../../proxy/http1/read-head.ts'
import { newRequestHead } from '../../../proxy/http1/request-head.ts'
import { requestView } from '../../../proxy/http1/request-view.ts'

export interface SeenRequest {
  readonly method: string
  readonly target: string
  readonly headers: readonly string[]
  /** Its last byte has come. */
  complete: boolean
}

export interface SeenRequests {
  readonly requests: SeenRequest[]
  /** Undefined while nothing was refused. */
  refusal: string | undefined
  status: number
}

export const BOUNDS = { headBytes: 4096, headers: 20 }

/** @param chunks the bytes as they arrive */
export function readByUs(chunks: readonly Buffer[], bounds = BOUNDS): SeenRequests {
  const head = newRequestHead(bounds)
  const view = requestView(head)
  const body = newBody(bounds, true)
  const seen: SeenRequests = { requests: [], refusal: undefined, status: 0 }
  let inBody = false
  let over = false
  for (const chunk of chunks) {
    let at = 0
    while (at < chunk.length && seen.refusal === undefined && !over) {
      if (inBody) {
        const end = followBody(body, chunk, at)
        if (end === REFUSED) seen.refusal = body.refusal
        if (end < 0) break
        at = end
      } else {
        const end = readHead(head, chunk, at)
        if (end === REFUSED) {
          seen.refusal = head.refusal?.reason ?? ''
          seen.status = head.refusal?.status ?? 0
        }
        if (end < 0) break
        at = end
        seen.requests.push({
          method: view.method,
          target: head.bytes.toString('latin1', head.fields.targetStart, head.fields.targetEnd),
          headers: linesOf(head),
          complete: false,
        })
        beginBody(body, requestFraming(head.fields))
        inBody = true
      }
      if (inBody && isOver(body)) {
        const last = seen.requests.at(-1)
        if (last !== undefined) last.complete = true
        over = head.fields.connection.close || head.fields.version === 'HTTP/1.0'
        inBody = false
        clearHead(head)
      }
    }
  }
  return seen
}

function linesOf(head: ReturnType<typeof newRequestHead>): string[] {
  const lines: string[] = []
  for (let line = 0; line < head.lines; line += 1) {
    const slot = line * SLOTS
    lines.push(head.bytes.toString('latin1', head.slots[slot], head.slots[slot + 1]))
    lines.push(headerValue(head, line))
  }
  return lines
}

/** What a `node:http` server makes of the same bytes. */
export async function readByLlhttp(bytes: Buffer): Promise<SeenRequests> {
  const seen: SeenRequests = { requests: [], refusal: undefined, status: 0 }
  const server = createServer({ requireHostHeader: false }, (request, response) => {
    note(seen, request)
    response.end()
  })
  server.on('connect', (request: IncomingMessage) => note(seen, request))
  server.on('upgrade', (request: IncomingMessage) => note(seen, request))
  server.on('checkContinue', (request, response) => {
    note(seen, request)
    response.end()
  })
  server.on('checkExpectation', (request, response) => {
    note(seen, request)
    response.end()
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // The bytes ended in the middle: that is no refusal.
    if (error.code !== 'HPE_INVALID_EOF_STATE' && error.code !== 'ECONNRESET') {
      seen.refusal ??= error.code ?? error.message
    }
    // Not at once: requests that were complete before it have yet to say so.
    setImmediate(() => socket.destroy())
  })
  const [near, far] = duplexPair()
  far.on('error', () => {})
  near.on('error', () => {})
  server.emit('connection', far)
  near.resume()
  const over = once(far, 'close')
  near.end(bytes)
  far.once('end', () => setImmediate(() => far.destroy()))
  await over
  return seen
}

function note(seen: SeenRequests, request: IncomingMessage): void {
  const one: SeenRequest = {
    method: request.method ?? '',
    target: request.url ?? '',
    headers: request.rawHeaders.map((text) => Buffer.from(text, 'latin1').toString()),
    complete: false,
  }
  seen.requests.push(one)
  request.on('error', () => {})
  request.on('end', () => {
    one.complete = true
  })
  request.resume()
}
