/** Puts policies of all kinds, as they were read one by one, into the snapshot that everything is decided by. Pure. */
import type { AuthorizationPolicy } from './authorization-policy.ts'
import type { ReadPolicy } from './cluster-object.ts'
import type { PeerAuthentication } from './peer-authentication.ts'
import type { RequestAuthentication } from './request-authentication.ts'
import type { MeshSettings, PolicySnapshot } from './snapshot.ts'

/** @param policies each kind keeps their order, which decides between policies that are equal otherwise */
export function assembleSnapshot(
  mesh: MeshSettings,
  policies: Iterable<ReadPolicy>,
): PolicySnapshot {
  const authorizationPolicies: AuthorizationPolicy[] = []
  const peerAuthentications: PeerAuthentication[] = []
  const requestAuthentications: RequestAuthentication[] = []
  for (const { kind, policy } of policies) {
    switch (kind) {
      case 'AuthorizationPolicy':
        authorizationPolicies.push(policy)
        break
      case 'PeerAuthentication':
        peerAuthentications.push(policy)
        break
      case 'RequestAuthentication':
        requestAuthentications.push(policy)
        break
      default:
        kind satisfies never
    }
  }
  return { mesh, authorizationPolicies, peerAuthentications, requestAuthentications }
}
