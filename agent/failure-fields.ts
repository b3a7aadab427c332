/** How a failure is logged: an expected one by its code and its sentence, a bug with everything that is known of it. */
import { IdentityError } from '../spiffe/error.ts'

export function failureFields(error: unknown): Record<string, unknown> {
  if (!(error instanceof IdentityError)) return { err: error }
  return { code: error.code, reason: error.message }
}
