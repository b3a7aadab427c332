/** What an API server says when it refuses, as an error of ours that keeps the number. */
import { type ErrorCode, IdentityError } from '../spiffe/error.ts'
import { isRecord, textAt } from './object.ts'

/** Longer answers are cut in messages; proxies in between answer with whole pages. */
const MAX_MESSAGE_LENGTH = 500

class Refusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** @param body the text of the answer, JSON or not */
export function refusal(what: string, status: number, body: string): IdentityError {
  const said = parseStatus(body)
  const message = said.message.slice(0, MAX_MESSAGE_LENGTH)
  return new IdentityError(
    codeOf(status, said.reason),
    `the API server refused ${what} with ${status}: ${message}`,
    { cause: new Refusal(status, message) },
  )
}

/** The HTTP status in an error of a Cluster; undefined for any other error. */
export function statusOf(error: unknown): number | undefined {
  const cause = error instanceof IdentityError ? error.cause : undefined
  return cause instanceof Refusal ? cause.status : undefined
}

/** What the API server itself gave as its reason in an error of a Cluster; undefined when it did not answer. */
export function reasonGiven(error: unknown): string | undefined {
  const cause = error instanceof IdentityError ? error.cause : undefined
  return cause instanceof Refusal ? cause.message : undefined
}

function parseStatus(body: string): { readonly message: string; readonly reason: string } {
  try {
    const status: unknown = JSON.parse(body)
    const message = textAt(status, 'message')
    if (message !== undefined) return { message, reason: textAt(status, 'reason') ?? '' }
  } catch {
    // what is no Status is told as it is
  }
  return { message: body.trim() || 'it gave no reason', reason: '' }
}

function codeOf(status: number, reason: string): ErrorCode {
  switch (status) {
    case 400:
    case 422:
      return 'REQUEST_INVALID'
    case 401:
      return 'CALLER_UNIDENTIFIED'
    case 403:
      return 'NOT_AUTHORIZED'
    case 404:
      return 'NOT_FOUND'
    case 409:
      return reason === 'AlreadyExists' ? 'ALREADY_EXISTS' : 'PRECONDITION_FAILED'
    case 429:
      return 'RATE_LIMITED'
    default:
      return 'UNAVAILABLE'
  }
}

/** Whether a Status object (the answer, or the object of an `ERROR` event) says that the version asked for is gone. */
export function isGone(status: unknown): boolean {
  return isRecord(status) && (status.code === 410 || status.reason === 'Expired')
}
