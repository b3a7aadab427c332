/** What a call refuses with; anything but a refusal of ours fails the test. */
import { type ErrorCode, IdentityError } from '../../spiffe/error.ts'

/** @returns `CODE: message` of the refusal, or 'accepted' */
export function refusalOf(attempt: () => unknown): string {
  try {
    attempt()
    return 'accepted'
  } catch (error) {
    return describe(error)
  }
}

export async function refusalOfAsync(attempt: () => Promise<unknown>): Promise<string> {
  try {
    await attempt()
    return 'accepted'
  } catch (error) {
    return describe(error)
  }
}

/** Runs a parser on anything at all. @throws what it throws, unless that is a refusal with one of the codes */
export function survives(parse: () => unknown, ...codes: readonly ErrorCode[]): void {
  try {
    parse()
  } catch (error) {
    if (!(error instanceof IdentityError) || !codes.includes(error.code)) throw error
  }
}

function describe(error: unknown): string {
  if (!(error instanceof IdentityError)) throw error
  return `${error.code}: ${error.message}`
}
