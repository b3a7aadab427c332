/** How an entry and a span of time are told in a sentence. */
import type { SpiffeId } from '../../spiffe/id.ts'

export function named({
  entryId,
  id,
}: {
  readonly entryId: string
  readonly id: SpiffeId
}): string {
  return `entry ${entryId} (${id})`
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const

/** `3 minutes ago`; what lies less than a second back, or ahead by another machine's clock, is `just now`. */
export function ago(ms: number): string {
  const unit = UNITS.find(([, length]) => ms >= length)
  if (unit === undefined) return 'just now'
  const [name, length] = unit
  const count = Math.floor(ms / length)
  return `${count} ${name}${count === 1 ? '' : 's'} ago`
}
