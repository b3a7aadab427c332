/** Blocks that turn something on by being there. */
import type { Keys, Section } from './check.ts'

/** Only a block that is written is read: without one, none of its keys is missing. */
export function ifWritten<S extends Keys>(block: Section<S>): Section<S> {
  return {
    ...block,
    read: (found, spot, context) =>
      found.length === 0 ? undefined : block.read(found, spot, context),
  }
}
