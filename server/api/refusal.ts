/**
 * How the APIs compose what they answer: the context first, then the cause, except that "not found" never
 * tells more than that. The texts are SPIRE's, because clients compare them.
 *
 * @see SPIRE API §3 — general message shape
 */
import { type ErrorCode, IdentityError } from '../../spiffe/error.ts'

/**
 * Runs `read`, and puts `context: ` before the message of what it refuses.
 * @param code replaces the code of the refusal, when given
 */
export function within<T>(context: string, read: () => T, code?: ErrorCode): T {
  try {
    return read()
  } catch (error) {
    throw inContext(context, error, code)
  }
}

/** As `within`, for what takes its time. */
export async function withinAsync<T>(
  context: string,
  work: () => Promise<T>,
  code?: ErrorCode,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw inContext(context, error, code)
  }
}

/** The same error with a context; anything but an `IdentityError` is a bug and stays as it is. */
export function inContext(context: string, error: unknown, code?: ErrorCode): unknown {
  if (!(error instanceof IdentityError)) return error
  const chosen = code ?? error.code
  const message = chosen === 'NOT_FOUND' ? context : `${context}: ${error.message}`
  return new IdentityError(chosen, message, { cause: error })
}

export function invalid(message: string): IdentityError {
  return new IdentityError('REQUEST_INVALID', message)
}

export function notFound(message: string): IdentityError {
  return new IdentityError('NOT_FOUND', message)
}
