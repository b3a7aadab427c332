/** Asks the admin endpoint of a running proxy, over its Unix socket or loopback. Answers are of bounded size and time. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { z } from 'zod'
import { type Address, parseAddress, showAddress } from '../../config/address.ts'
import { request } from '../../proto/node-http.ts'
import { deadlineIn } from '../../spiffe/deadline.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { readBounded } from '../../spiffe/read-bounded.ts'
import type { Session } from '../command.ts'
import { list, required } from '../flag/kinds.ts'

const TIMEOUT_MS = 10_000
const MAX_ANSWER_BYTES = 16 * 1024 * 1024
const MAX_PROXIES = 1_000

export const proxyFlags = {
  proxy: required(list('admin endpoint of a proxy: unix:/path, or ip:port to read alone')),
}

/** @throws IdentityError REQUEST_INVALID when none is named, or one is no address */
export function readProxies(texts: readonly string[]): readonly Address[] {
  if (texts.length === 0)
    throw invalid('at least one admin endpoint of a proxy (-proxy) must be set')
  if (texts.length > MAX_PROXIES) {
    throw invalid(`${texts.length} proxies are named, expected at most ${MAX_PROXIES}`)
  }
  return texts.map((text) => {
    const address = parseAddress(text, 1)
    if (address !== undefined) return address
    throw invalid(`-proxy is ${JSON.stringify(text)}, expected unix:/path or ip:port`)
  })
}

const invalid = (message: string): IdentityError => new IdentityError('REQUEST_INVALID', message)

export interface ProxyQuestion<T> {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** E.g. `/kill-switch`. */
  readonly page: string
  readonly body?: object
  /** What a proxy of ours answers. */
  readonly form: z.ZodType<T>
}

/** @throws IdentityError UNAVAILABLE when it cannot be reached, REQUEST_INVALID with its own words when it refuses */
export async function askProxy<T>(
  address: Address,
  { method, page, body, form }: ProxyQuestion<T>,
  { clock }: Session,
): Promise<T> {
  const where = showAddress(address)
  using deadline = deadlineIn(TIMEOUT_MS, clock)
  let answered: { readonly status: number; readonly value: unknown }
  try {
    answered = await exchange(address, { method, page, body }, deadline.signal)
  } catch (error) {
    const why = deadline.isOver ? `no answer within ${TIMEOUT_MS / 1000} s` : reasonOf(error)
    const todo = 'is it the admin endpoint of a running proxy?'
    throw new IdentityError('UNAVAILABLE', `${where}: ${why}; ${todo}`, { cause: error })
  }
  const { status, value } = answered
  if (status !== 200) throw invalid(`${where} refuses: ${refusalIn(value) ?? `status ${status}`}`)
  const read = form.safeParse(value)
  if (read.success) return read.data
  throw new IdentityError(
    'UNAVAILABLE',
    `${where} answers in another form than a proxy of this version`,
  )
}

async function exchange(
  address: Address,
  {
    method,
    page,
    body,
  }: { readonly method: string; readonly page: string; readonly body: object | undefined },
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly value: unknown }> {
  const sent = body === undefined ? '' : JSON.stringify(body)
  const asking = request({
    ...(address.kind === 'unix'
      ? { socketPath: address.path, headers: { host: 'localhost' } }
      : { host: address.host, port: address.port }),
    ...{ method, path: page, agent: false, signal },
  })
  if (sent !== '') asking.setHeader('content-type', 'application/json')
  asking.end(sent)
  const [response]: IncomingMessage[] = await once(asking, 'response', { signal })
  if (response === undefined) throw new Error('there is no answer')
  return { status: response.statusCode ?? 0, value: await readJson(response) }
}

/** @throws Error when it is cut off, or more comes than a proxy would ever say */
async function readJson(response: IncomingMessage): Promise<unknown> {
  const body = await readBounded(response, MAX_ANSWER_BYTES)
  if (body === undefined) throw new Error(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`)
  return JSON.parse(body.toString('utf8'))
}

function refusalIn(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('error' in value)) return undefined
  return typeof value.error === 'string' ? value.error : undefined
}

/** What each proxy answers, or why it does not, in their order. */
export async function askAll<T>(
  addresses: readonly Address[],
  ask: (address: Address) => Promise<T>,
): Promise<readonly ProxyAnswer<T>[]> {
  return Promise.all(
    addresses.map(async (address): Promise<ProxyAnswer<T>> => {
      const proxy = showAddress(address)
      try {
        return { kind: 'answer', proxy, answer: await ask(address) }
      } catch (error) {
        if (!(error instanceof IdentityError)) throw error
        return { kind: 'failed', proxy, why: error.message }
      }
    }),
  )
}

export type ProxyAnswer<T> =
  | { readonly kind: 'answer'; readonly proxy: string; readonly answer: T }
  | { readonly kind: 'failed'; readonly proxy: string; readonly why: string }
