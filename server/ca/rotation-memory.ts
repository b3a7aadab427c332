/**
 * What is remembered of rotations, beside the slots: which authorities began under the eyes of this server, and who let one
 * sign. What was not kept over a restart is "unknown", never a guess.
 */

export type Activation = 'unknown' | 'by-schedule' | 'by-hand'

export interface RotationMemory {
  /** An authority was made; all that it will ever sign is recorded. */
  noteMade(id: string): void
  noteActivated(id: string): void
  /** An operator let it sign. */
  noteByHand(id: string): void
  /** Whether everything that it has signed was recorded. */
  isMadeHere(id: string): boolean
  activationOf(id: string): Activation
  /** All of it: what another memory begins with to know the same. */
  remembered(): Iterable<Remembered>
}

export type Remembered =
  | { readonly kind: 'made'; readonly authorityId: string }
  | {
      readonly kind: 'activated'
      readonly authorityId: string
      readonly by: Exclude<Activation, 'unknown'>
    }

export interface RotationMemoryOptions {
  /** What was remembered before, oldest first. */
  readonly known?: Iterable<Remembered>
  /** Told of each step. */
  readonly onNoted?: (noted: Remembered) => void
}

/** Authorities; there are two of each kind at a time. */
const MAX_REMEMBERED = 64

export function createRotationMemory({
  known = [],
  onNoted = () => {},
}: RotationMemoryOptions = {}): RotationMemory {
  const made = new Set<string>()
  const activations = new Map<string, Exclude<Activation, 'unknown'>>()
  const bound = (ids: Map<string, unknown> | Set<string>) => {
    for (const oldest of ids.keys()) {
      if (ids.size <= MAX_REMEMBERED) break
      ids.delete(oldest)
    }
  }
  const remember = (noted: Remembered) => {
    const { authorityId: id } = noted
    if (noted.kind === 'made') made.add(id)
    else activations.set(id, noted.by)
    bound(noted.kind === 'made' ? made : activations)
  }
  const note = (noted: Remembered) => {
    remember(noted)
    onNoted(noted)
  }
  for (const one of known) remember(one)
  return {
    noteMade: (authorityId) => note({ kind: 'made', authorityId }),
    noteActivated: (authorityId) => note({ kind: 'activated', authorityId, by: 'by-schedule' }),
    noteByHand: (authorityId) => note({ kind: 'activated', authorityId, by: 'by-hand' }),
    isMadeHere: (id) => made.has(id),
    activationOf: (id) => activations.get(id) ?? 'unknown',
    *remembered() {
      for (const authorityId of made) yield { kind: 'made', authorityId }
      for (const [authorityId, by] of activations) yield { kind: 'activated', authorityId, by }
    },
  }
}
