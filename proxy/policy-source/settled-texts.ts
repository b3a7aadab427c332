/**
 * Reads files that somebody may be writing at this moment. A writer that empties a file before it fills it, as most do,
 * must not be taken for one that wants no policies: without them everything passes. Fails closed: what has changed is
 * believed when it has stayed the same for a while, and what has become empty, or has gone, after a longer while.
 */
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { PolicyText } from './read-policies.ts'

/** Between two looks that must show the same. */
const SETTLE_MS = 50
const EMPTIED_SETTLE_MS = 1_000
/** Looks at files that change all the time. */
const MAX_LOOKS = 20

/**
 * @param before what is in force
 * @throws IdentityError UNAVAILABLE when the files do not come to rest, and what `read` throws
 */
export async function settledTexts(
  before: readonly PolicyText[],
  read: () => Promise<readonly PolicyText[]>,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly PolicyText[]> {
  let seen = await read()
  if (isSame(before, seen)) return seen
  for (let look = 0; look < MAX_LOOKS && !signal.aborted; look += 1) {
    await clock.sleep(isEmptied(before, seen) ? EMPTIED_SETTLE_MS : SETTLE_MS, signal)
    const next = await read()
    if (isSame(seen, next)) return next
    seen = next
  }
  const why = 'the files change all the time; write them to another place and rename them'
  throw new IdentityError('UNAVAILABLE', why)
}

export function isSame(one: readonly PolicyText[], other: readonly PolicyText[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ name, text }, at) => other[at]?.name === name && other[at]?.text === text)
  )
}

/** Has a file that said something become empty, or gone? */
function isEmptied(before: readonly PolicyText[], now: readonly PolicyText[]): boolean {
  const filled = new Set(now.filter(({ text }) => text.trim() !== '').map(({ name }) => name))
  return before.some(({ name, text }) => text.trim() !== '' && !filled.has(name))
}
