/** The answer while nothing may be signed. */
import { IdentityError } from '../../spiffe/error.ts'

export function noAuthority(kind: 'X.509' | 'JWT'): IdentityError {
  return new IdentityError(
    'UNAVAILABLE',
    `no ${kind} authority is active and in the bundle; the server makes one by itself, try again`,
  )
}
