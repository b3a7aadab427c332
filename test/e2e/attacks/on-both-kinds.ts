/** The same attacks on Steeple and, where it is installed, on SPIRE: what each of them does is said side by side. */
import { describe } from 'vitest'
import { lacking } from '../../interop/interop.ts'
import type { Kind } from '../../processes/cluster.ts'

export const isRoot = process.getuid?.() === 0

/** @param attacks tests; what SPIRE does otherwise is what they expect of it */
export function onBothKinds(attacks: (kind: Kind) => void): void {
  describe('Steeple', () => attacks('steeple'))
  const how = lacking(['spire-server', 'spire-agent'])
  if (how !== undefined) process.stderr.write(`SKIPPED what SPIRE does under attack: ${how}\n`)
  describe.skipIf(how !== undefined)('SPIRE', () => attacks('spire'))
}
