/** Says what was being read when it was refused. */
import { IdentityError } from '../../spiffe/error.ts'

/** @throws IdentityError `error parsing <what>: <why>` */
export function parsing<T>(what: string, parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    if (!(cause instanceof IdentityError)) throw cause
    throw new IdentityError(cause.code, `error parsing ${what}: ${cause.message}`, { cause })
  }
}
