/** Mesh settings and a workload that tests of policy share. */
import type { MeshSettings, Workload } from '../../policy/snapshot.ts'
import { parseTrustDomain } from '../../spiffe/id.ts'

export const mesh: MeshSettings = {
  rootNamespace: 'istio-system',
  trustDomain: parseTrustDomain('example.org'),
  trustDomainAliases: [],
  pathNormalization: 'BASE',
  refuseAmbiguousPaths: true,
  extensionProviders: [],
  trustedHops: 0,
}

export const workload: Workload = {
  ...{ namespace: 'shop', name: 'db-1', serviceAccount: 'db' },
  labels: { app: 'db' },
}

export const denyAll = (name = 'deny-all') => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name}, namespace: shop }
spec: { action: DENY, rules: [{}] }
`

export const mtlsMode = (mode: string) => `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: shop }
spec: { mtls: { mode: ${mode} } }
`
