/** Tells a refusal from a failure: an error that is not about the chain would prove nothing. */
import { IdentityError } from '../../../spiffe/error.ts'

/** @returns false when it succeeds @throws whatever is no IdentityError */
export async function isRefused(work: Promise<unknown>): Promise<boolean> {
  try {
    await work
    return false
  } catch (error) {
    if (error instanceof IdentityError) return true
    throw error
  }
}
