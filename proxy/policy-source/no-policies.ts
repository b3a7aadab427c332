/** The source of a proxy that was given no policies: whoever may connect at all may do everything. */
import { assembleSnapshot } from '../../policy/assemble-snapshot.ts'
import type { MeshSettings, PolicySnapshot } from '../../policy/snapshot.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { PolicySource } from './policy-source.ts'

export function withoutPolicies(mesh: MeshSettings): PolicySnapshot {
  return assembleSnapshot(mesh, [])
}

export function noPolicies(mesh: MeshSettings, clock: Clock): PolicySource {
  const snapshot = withoutPolicies(mesh)
  const loadedAt = clock.now()
  return {
    current: () => snapshot,
    status: () => ({ source: 'none', loadedAt, objects: 0, problem: undefined, warnings: [] }),
    onChange: () => ({ [Symbol.dispose]() {} }),
  }
}
