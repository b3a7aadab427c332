/**
 * Asks a provider by gRPC, in Envoy's protocol. Status code 0 agrees, any other refuses.
 *
 * @see envoy.service.auth.v3.Authorization
 */
import { credentials } from '@grpc/grpc-js'
import type { HeaderValueOption } from '../../proto/gen/envoy/config/core/v3/HeaderValueOption.ts'
import type { CheckRequestInput } from '../../proto/gen/envoy/service/auth/v3/CheckRequest.ts'
import type { CheckResponse } from '../../proto/gen/envoy/service/auth/v3/CheckResponse.ts'
import { externalAuthApi } from '../../proto/load.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { reasonOf } from '../../spiffe/error.ts'
import type { HeadEdits, HeaderLine, RequestHead } from '../http/exchange.ts'
import { EXT_AUTHZ_DENIED, textAnswer } from '../http/local-answer.ts'
import { checkedLines, mayGoOn } from './answer-headers.ts'
import type { Check, CheckAnswer, CheckedRequest, CheckQuestion, GrpcProvider } from './provider.ts'

/** Of an answer, in bytes. */
const MAX_ANSWER_BYTES = 256 * 1024

export interface GrpcChecker extends Disposable {
  readonly check: Check
}

export function openGrpcChecker({ address }: GrpcProvider, clock: Clock): GrpcChecker {
  const target =
    address.kind === 'unix'
      ? `unix:${address.path}`
      : `dns:${bracketed(address.host)}:${address.port}`
  const Client = externalAuthApi()
  const client = new Client(target, credentials.createInsecure(), {
    'grpc.max_receive_message_length': MAX_ANSWER_BYTES,
    'grpc.enable_retries': 0,
  })
  return {
    check: (question, signal) =>
      new Promise((resolve) => {
        const call = client.Check(checkRequest(question, clock.now()), (error, answer) => {
          if (error !== null || answer === undefined) {
            resolve({ kind: 'failed', reason: error === null ? 'no answer' : reasonOf(error) })
          } else resolve(readAnswer(answer, question.request?.head))
        })
        signal.addEventListener('abort', () => call.cancel(), { once: true })
      }),
    [Symbol.dispose]: () => client.close(),
  }
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host)

function checkRequest({ facts, self, request }: CheckQuestion, now: Date): CheckRequestInput {
  const at = (address: string, port: number) => ({
    socket_address: { address, port_value: port },
  })
  const seconds = Math.floor(now.getTime() / 1000)
  const time = { seconds, nanos: (now.getTime() % 1000) * 1_000_000 }
  return {
    attributes: {
      source: { address: at(facts.sourceIp, 0), principal: facts.peer ?? '' },
      destination: { address: at(facts.destinationIp, facts.destinationPort), principal: self },
      request: { time, http: request === undefined ? null : httpRequest(request, facts.peer) },
      tls_session: facts.sni === undefined ? null : { sni: facts.sni },
    },
  }
}

function httpRequest({ head, target }: CheckedRequest, peer: string | undefined) {
  const headers: Record<string, string> = {
    ':authority': head.authority,
    ':method': head.method,
    ':path': target,
  }
  for (const [name, value] of head.lines()) {
    if (name === 'host') continue
    headers[name] = Object.hasOwn(headers, name) ? `${headers[name]},${value}` : value
  }
  return {
    id: head.headerLines('x-request-id')[0] ?? '',
    ...{ method: head.method, path: target, host: head.authority, headers },
    scheme: peer === undefined ? 'http' : 'https',
    size: Number(head.headerLines('content-length')[0] ?? -1),
    protocol: head.version,
  }
}

function readAnswer(answer: CheckResponse, head: RequestHead | undefined): CheckAnswer {
  const malformed: CheckAnswer = {
    kind: 'failed',
    reason: 'its answer has a header that cannot be written',
  }
  if ((answer.status?.code ?? 0) === 0) {
    const edits = editsOf(answer.ok_response?.headers ?? [], head)
    if (edits === undefined) return malformed
    const asked = answer.ok_response?.headers_to_remove ?? []
    const removed = asked.map((name) => name.toLowerCase()).filter(mayGoOn)
    const remove = [...edits.remove, ...removed]
    const isIdle = remove.length + edits.add.length === 0
    return { kind: 'agreed', edits: isIdle ? undefined : { ...edits, remove } }
  }
  const { denied_response: denied } = answer
  const told = checkedLines((denied?.headers ?? []).map(lineOf))
  if (told === undefined) return malformed
  const code = denied?.status?.code ?? 0
  // Anything that is no refusal in HTTP is answered 403: fails closed.
  const status = code >= 300 && code <= 599 ? code : 403
  const plain = textAnswer(status, denied?.body ?? '', EXT_AUTHZ_DENIED)
  return {
    kind: 'refused',
    answer: {
      ...plain,
      headers: [
        ...plain.headers.filter(([name]) => !told.some(([same]) => same === name)),
        ...told,
      ],
    },
  }
}

const lineOf = ({ header }: HeaderValueOption): HeaderLine => {
  const raw = header?.raw_value
  const value = raw === undefined || raw.length === 0 ? header?.value : raw.toString()
  return [(header?.key ?? '').toLowerCase(), value ?? '']
}

/** Undefined when a line cannot be written. In this answer a header replaces, unless it says that it is to be added. */
function editsOf(
  options: readonly HeaderValueOption[],
  head: RequestHead | undefined,
): HeadEdits | undefined {
  const remove: string[] = []
  const add: HeaderLine[] = []
  for (const option of options) {
    const line = lineOf(option)
    const [name] = line
    if (!mayGoOn(name)) continue
    const isThere = (head?.headerLines(name).length ?? 0) > 0
    if (option.append === null) {
      if (option.append_action === 'ADD_IF_ABSENT' && isThere) continue
      if (option.append_action === 'OVERWRITE_IF_EXISTS' && !isThere) continue
    }
    if (option.append?.value !== true) remove.push(name)
    add.push(line)
  }
  const lines = checkedLines(add)
  return lines && { path: undefined, remove, add: lines }
}
