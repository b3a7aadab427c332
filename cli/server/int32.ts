/** Numbers that the protocol carries in 32 bits. */
import { IdentityError } from '../../spiffe/error.ts'

const MAX = 2 ** 31 - 1

/** @throws IdentityError REQUEST_INVALID naming the flag's meaning */
export function mustFitInt32(value: number, what: string): number {
  if (value <= MAX && value >= -MAX - 1) return value
  throw new IdentityError(
    'REQUEST_INVALID',
    `invalid value for ${what}: overflow converting int(${value}) to int32`,
  )
}
