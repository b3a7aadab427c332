/**
 * One question to an ACME server over HTTPS and its whole answer. Fails closed: nothing is sent to a server that has
 * not proved its name, no redirect is followed, and an answer that is too long or too slow is an error.
 *
 * @see RFC 8555 §6.1 — HTTPS requests
 */
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { getCACertificates } from 'node:tls'
import type { Clock } from '../spiffe/clock.ts'
import { deadlineIn } from '../spiffe/deadline.ts'
import { IdentityError, reasonOf } from '../spiffe/error.ts'
import { readBounded } from '../spiffe/read-bounded.ts'

export interface AcmeRequest {
  readonly method: 'GET' | 'HEAD' | 'POST'
  readonly url: string
  /** A signed message; undefined unless the method is POST. */
  readonly body: string | undefined
}

export interface AcmeResponse {
  readonly status: number
  /** By its name in lower case; undefined when it is not there or is empty. */
  header(name: string): string | undefined
  readonly body: string
}

export type Exchange = (request: AcmeRequest, signal: AbortSignal) => Promise<AcmeResponse>

export interface ExchangeDeps {
  readonly clock: Clock
  /** PEM of whom to believe; see `webRoots`. */
  readonly roots: readonly string[]
}

const DEADLINE_MS = 30_000
/** A chain of certificates is some kilobytes. */
const MAX_ANSWER_BYTES = 1 << 20
const MAX_URL_CHARS = 2_048

/** The Web's roots, and those that the machine's operator has added to the system's. */
export function webRoots(): readonly string[] {
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system')])]
}

/** @returns the same text. @throws IdentityError CONFIG_INVALID for anything but an https URL without credentials */
export function checkAcmeUrl(text: string): string {
  const url = URL.canParse(text) && text.length <= MAX_URL_CHARS ? new URL(text) : undefined
  const hasCredentials = url !== undefined && `${url.username}${url.password}` !== ''
  if (url?.protocol === 'https:' && !hasCredentials) return text
  const seen = hasCredentials
    ? 'one with credentials'
    : JSON.stringify(text.slice(0, MAX_URL_CHARS))
  throw new IdentityError(
    'CONFIG_INVALID',
    `${seen} is no address of an ACME server, expected an https URL`,
  )
}

/** @returns a function that throws IdentityError UNAVAILABLE, or CONFIG_INVALID for a URL that is not https */
export function httpsExchange({ clock, roots }: ExchangeDeps): Exchange {
  return async (asked, signal) => {
    const url = new URL(checkAcmeUrl(asked.url))
    using deadline = deadlineIn(DEADLINE_MS, clock, signal)
    try {
      return await ask(url, asked, roots, deadline.signal)
    } catch (error) {
      if (error instanceof IdentityError) throw error
      const why = deadline.isOver
        ? `no answer within ${DEADLINE_MS / 1000} seconds`
        : reasonOf(error)
      throw new IdentityError('UNAVAILABLE', `the ACME server at ${url.host}: ${why}`, {
        cause: error,
      })
    }
  }
}

async function ask(
  url: URL,
  { method, body }: AcmeRequest,
  roots: readonly string[],
  signal: AbortSignal,
): Promise<AcmeResponse> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(url, {
      method,
      signal,
      agent: false, // an order takes a dozen questions in two months: nothing is kept open between them
      ca: [...roots],
      minVersion: 'TLSv1.2',
      headers: {
        'user-agent': 'steeple',
        ...(body === undefined ? {} : { 'content-type': 'application/jose+json' }),
      },
    })
    sent.once('response', resolve)
    sent.once('error', reject)
    sent.end(body)
  })
  const bytes = await readBounded(response, MAX_ANSWER_BYTES)
  if (bytes === undefined) throw new Error(`its answer is longer than ${MAX_ANSWER_BYTES} bytes`)
  return {
    status: response.statusCode ?? 0,
    header: (name) => response.headers[name]?.toString() || undefined,
    body: bytes.toString('utf8'),
  }
}
