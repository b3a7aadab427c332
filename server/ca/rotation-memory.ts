/**
 * What this process remembers of rotations, beside the slots: which authorities began under its eyes, and who let one
 * sign. It is in memory: after a restart the answer is "unknown", never a guess.
 */

export type Activation = 'unknown' | 'by-schedule' | 'by-hand'

export interface RotationMemory {
  /** An authority was made; all that it will ever sign is signed by this process. */
  noteMade(id: string): void
  noteActivated(id: string): void
  /** An operator let it sign. */
  noteByHand(id: string): void
  /** Whether everything that it has signed was signed by this process. */
  isMadeHere(id: string): boolean
  activationOf(id: string): Activation
}

/** Authorities; there are two of each kind at a time. */
const MAX_REMEMBERED = 64

export function createRotationMemory(): RotationMemory {
  const made = new Set<string>()
  const activations = new Map<string, Activation>()
  const bound = (ids: Map<string, unknown> | Set<string>) => {
    for (const oldest of ids.keys()) {
      if (ids.size <= MAX_REMEMBERED) break
      ids.delete(oldest)
    }
  }
  const note = (id: string, activation: Activation) => {
    activations.set(id, activation)
    bound(activations)
  }
  return {
    noteMade(id) {
      made.add(id)
      bound(made)
    },
    noteActivated: (id) => note(id, 'by-schedule'),
    noteByHand: (id) => note(id, 'by-hand'),
    isMadeHere: (id) => made.has(id),
    activationOf: (id) => activations.get(id) ?? 'unknown',
  }
}
