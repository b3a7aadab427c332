/** What a refusal says, word by word. */
import { IdentityError } from '../../spiffe/error.ts'

/** @throws whatever is no refusal, and an error when nothing was refused */
export function refusalOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof IdentityError) return error.message
    throw error
  }
  throw new Error('nothing was refused')
}
