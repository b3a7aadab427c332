/** Every fault of a template or of its evaluation, with one code; and the bound of every text that it makes. */
import { IdentityError } from '../../../spiffe/error.ts'

/** Characters; a SPIFFE ID has 2,048 bytes at most. */
const MAX_TEXT_LENGTH = 65_536

export function templateError(why: string): IdentityError {
  return new IdentityError('REQUEST_INVALID', why)
}

/** To be called while a text grows: twice as much each time soon is more than there is memory. */
export function mustBeShort(length: number): void {
  if (length <= MAX_TEXT_LENGTH) return
  throw templateError(`the template writes more than ${MAX_TEXT_LENGTH} characters`)
}
