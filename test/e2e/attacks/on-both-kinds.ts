/** An attack on Steeple and, where it is installed, on SPIRE: what each of them does is said side by side. */
import { test } from 'vitest'
import { interop } from '../../interop/interop.ts'
import type { Kind } from '../../processes/cluster.ts'

export const isRoot = process.getuid?.() === 0

/** @param title what ours does; SPIRE's part says what it does instead by what it expects */
export function onBothKinds(title: string, attack: (kind: Kind) => Promise<void>): void {
  test(title, () => attack('steeple'))
  interop(`the same attack on SPIRE: ${title}`, ['spire-server', 'spire-agent'], () =>
    attack('spire'),
  )
}

/** As `onBothKinds`, for attacks that need root. */
export function asRootOnBothKinds(title: string, attack: (kind: Kind) => Promise<void>): void {
  if (isRoot) onBothKinds(title, attack)
  else test.skip(`${title} (needs root)`, () => {})
}
