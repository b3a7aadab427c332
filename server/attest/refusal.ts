/** Refusals that say what was being done: an attestor's steps tell the agent which of them failed. */
import { reasonGiven } from '../../kubernetes/status.ts'
import { type ErrorCode, IdentityError, reasonOf } from '../../spiffe/error.ts'

/**
 * Runs `work`, and puts `context: ` before the message of what it refuses; a bug goes on as it is.
 * @param code replaces the code of the refusal, when given
 */
export async function within<T>(
  context: string,
  work: () => Promise<T>,
  code?: ErrorCode,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    const message = `${context}: ${reasonOf(error)}`
    throw new IdentityError(code ?? error.code, message, { cause: error })
  }
}

/** As `within`, for a request to an API server: INTERNAL, in the API server's own words where it had any. */
export async function querying<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    const message = `unable to query ${what} API: ${reasonGiven(error) ?? reasonOf(error)}`
    throw new IdentityError('INTERNAL', message, { cause: error })
  }
}
