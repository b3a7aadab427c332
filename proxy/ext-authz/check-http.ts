/**
 * Asks a provider over HTTP: the request's own method and path, some of its headers, and no body. 200 agrees, any other
 * answer refuses and is handed to the caller, and a failure of the provider (5xx) is an answer that there is none.
 *
 * @see Envoy external authorization — raw HTTP service
 */
import { once } from 'node:events'
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { Agent, request } from '../../proto/node-http.ts'
import { reasonOf } from '../../spiffe/error.ts'
import { readBounded } from '../../spiffe/read-bounded.ts'
import type { HeaderLine } from '../http/exchange.ts'
import { EXT_AUTHZ_DENIED, textAnswer } from '../http/local-answer.ts'
import { checkedLines, replacing } from './answer-headers.ts'
import { isOneOf } from './name-pattern.ts'
import type { Check, CheckAnswer, CheckedRequest, HttpProvider } from './provider.ts'

/** Of an answer's body, in bytes; more of it is a failure. */
const MAX_BODY_BYTES = 64 * 1024
/** Connections that wait for the next question. */
const MAX_IDLE_CONNECTIONS = 64

export interface HttpChecker extends Disposable {
  readonly check: Check
}

export function openHttpChecker(
  provider: HttpProvider,
  connect: (signal: AbortSignal) => Promise<Duplex>,
): HttpChecker {
  const closing = new AbortController()
  const agent = new Agent({ keepAlive: true, maxFreeSockets: MAX_IDLE_CONNECTIONS })
  agent.createConnection = (_options, callback) => {
    connect(closing.signal).then(
      (stream) => callback?.(null, stream),
      (error: Error) => callback?.(error, undefined as never), // Node looks at the error alone then
    )
    return undefined
  }
  return {
    async check({ request: asked, facts }, signal) {
      // Policies for connections have been compiled without this provider.
      if (asked === undefined) return failed('it is asked about requests alone')
      try {
        const headers = headersOf(provider, asked, facts.sourceIp)
        const sent = request({
          agent,
          headers,
          signal,
          method: asked.head.method,
          path: provider.pathPrefix + asked.target,
          setHost: false,
        })
        sent.end()
        return await answerTo(provider, sent)
      } catch (error) {
        return failed(reasonOf(error))
      }
    },
    [Symbol.dispose]() {
      closing.abort()
      agent.destroy()
    },
  }
}

const failed = (reason: string): CheckAnswer => ({ kind: 'failed', reason })

/** Names and values in turn. */
function headersOf(
  { includeRequestHeaders, includeAdditionalHeaders }: HttpProvider,
  { head }: CheckedRequest,
  sourceIp: string,
): readonly string[] {
  const added = new Set(includeAdditionalHeaders.map(([name]) => name))
  const shown = head.lines().filter(([name]) => {
    if (added.has(name) || NEVER_SHOWN.has(name)) return false
    return name === 'authorization' || isOneOf(includeRequestHeaders, name)
  })
  const always: readonly HeaderLine[] = [
    ['host', head.authority],
    ['content-length', '0'],
  ]
  const forwarded: readonly HeaderLine[] = added.has('x-forwarded-for')
    ? []
    : [['x-forwarded-for', sourceIp]]
  const sent = [...always, ...shown, ...forwarded, ...includeAdditionalHeaders]
  return sent.flatMap(([name, value]) => [name, Buffer.from(value).toString('latin1')])
}

/** They are about the body, which is not shown, or about the caller's connection. */
const NEVER_SHOWN: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-forwarded-for',
])

async function answerTo(provider: HttpProvider, sent: ClientRequest): Promise<CheckAnswer> {
  const [message] = (await once(sent, 'response')) as [IncomingMessage] // cast: what the event gives
  const status = message.statusCode ?? 0
  const body = await readBounded(message, MAX_BODY_BYTES)
  if (body === undefined) return failed(`it answered more than ${MAX_BODY_BYTES} bytes`)
  if (status < 200 || status >= 500) return failed(`it answered ${status}`)
  const lines = linesOf(message)
  if (status === 200) {
    const chosen = checkedLines(
      lines.filter(([name]) => isOneOf(provider.headersToUpstreamOnAllow, name)),
    )
    if (chosen === undefined) return failed('its answer has a header that cannot be written')
    return { kind: 'agreed', edits: chosen.length === 0 ? undefined : replacing(chosen) }
  }
  const told = checkedLines(lines.filter(([name]) => isForCaller(provider, name)))
  if (told === undefined) return failed('its answer has a header that cannot be written')
  return {
    kind: 'refused',
    answer: { ...textAnswer(status, body.toString('utf8'), EXT_AUTHZ_DENIED), headers: told },
  }
}

/** A caller needs them to understand any refusal. */
const ALWAYS_TOLD: ReadonlySet<string> = new Set(['content-type', 'location', 'www-authenticate'])

function isForCaller({ headersToDownstreamOnDeny }: HttpProvider, name: string): boolean {
  if (name === 'date') return false
  if (headersToDownstreamOnDeny === undefined || ALWAYS_TOLD.has(name)) return true
  return isOneOf(headersToDownstreamOnDeny, name)
}

function linesOf({ rawHeaders }: IncomingMessage): readonly HeaderLine[] {
  const lines: HeaderLine[] = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    lines.push([(rawHeaders[at] ?? '').toLowerCase(), rawHeaders[at + 1] ?? ''])
  }
  return lines
}
