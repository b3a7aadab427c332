/** What a closed store answers, whichever its engine. */
import { IdentityError } from '../../spiffe/error.ts'

export function closedError(): IdentityError {
  return new IdentityError('UNAVAILABLE', 'the store is closed')
}
