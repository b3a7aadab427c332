/**
 * What an ACME server says when it refuses, for people. Its words are cut to a bound and stripped of what is not text;
 * they go into messages and logs and decide nothing but whether to ask again.
 *
 * @see RFC 8555 §6.7 — errors; RFC 7807
 */
import { z } from 'zod'
import { IdentityError } from '../spiffe/error.ts'
import type { AcmeResponse } from './transport.ts'

export interface Problem {
  /** Without the prefix that all of ACME's have, e.g. `badNonce`. */
  readonly kind: string
  readonly text: string
}

const PREFIX = 'urn:ietf:params:acme:error:'
const MAX_TEXT_CHARS = 500
const MAX_SUBPROBLEMS = 5

const PLAIN = z.object({ type: z.string().optional(), detail: z.string().optional() })
const PROBLEM = PLAIN.extend({ subproblems: z.array(PLAIN).optional() })

/** @param value a problem document, or the `error` of a challenge, an authorization or an order */
export function parseProblem(value: unknown): Problem | undefined {
  const parsed = PROBLEM.safeParse(value)
  if (!parsed.success) return undefined
  const { type = '', detail = '', subproblems = [] } = parsed.data
  const kind = type.startsWith(PREFIX) ? type.slice(PREFIX.length) : type
  const more = subproblems.slice(0, MAX_SUBPROBLEMS).map((one) => one.detail ?? '')
  const text = [kind, detail, ...more].map(plain).filter((part) => part !== '')
  return text.length === 0 ? undefined : { kind, text: plain(text.join(': ')) }
}

export function problemOf({ body }: AcmeResponse): Problem | undefined {
  try {
    return parseProblem(JSON.parse(body))
  } catch {
    return undefined
  }
}

/** @param what the step that was refused, e.g. `the order` @returns IdentityError RATE_LIMITED or UNAVAILABLE */
export function refusalOf(what: string, response: AcmeResponse): IdentityError {
  const problem = problemOf(response)
  const code = problem?.kind === 'rateLimited' ? 'RATE_LIMITED' : 'UNAVAILABLE'
  const said = problem?.text ?? 'without a reason'
  return new IdentityError(
    code,
    `the ACME server refused ${what} with status ${response.status}: ${said}`,
  )
}

/** One line of printable characters: an answer from outside may not forge a line of a log. */
function plain(text: string): string {
  return text
    .replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]+/gu, ' ')
    .trim()
    .slice(0, MAX_TEXT_CHARS)
}
