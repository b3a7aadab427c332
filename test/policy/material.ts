/** Meshes, workloads and requests for tests of policies. */

import type { AuthorizationPolicy } from '../../policy/authorization-policy.ts'
import type { RequestFacts } from '../../policy/facts.ts'
import { parseAuthorizationPolicy } from '../../policy/parse-authorization-policy.ts'
import type { MeshSettings, PolicySnapshot, Workload } from '../../policy/snapshot.ts'
import { parseSpiffeId, parseTrustDomain } from '../../spiffe/id.ts'

export const workload: Workload = {
  namespace: 'shop',
  name: 'cart',
  serviceAccount: 'cart',
  labels: { app: 'cart' },
}

export const mesh: MeshSettings = {
  rootNamespace: 'istio-system',
  trustDomain: parseTrustDomain('cluster.local'),
  trustDomainAliases: [],
  pathNormalization: 'BASE',
  refuseAmbiguousPaths: true,
  extensionProviders: [
    { name: 'opa', kind: 'grpc' },
    { name: 'web', kind: 'http' },
  ],
  trustedHops: 0,
}

export const meshOf = (parts: Partial<PolicySnapshot>): PolicySnapshot => ({
  mesh,
  authorizationPolicies: [],
  peerAuthentications: [],
  requestAuthentications: [],
  ...parts,
})

/** Parses `spec` as a policy of the namespace; a mistake in it fails the test. */
export function policy(
  name: string,
  spec: object,
  metadata: Readonly<Record<string, unknown>> = {},
): AuthorizationPolicy {
  const parsed = parseAuthorizationPolicy({
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name, namespace: 'shop', ...metadata },
    spec,
  })
  if (parsed.kind === 'faults') throw new Error(JSON.stringify(parsed.faults))
  return parsed.policy
}

export const front = parseSpiffeId('spiffe://cluster.local/ns/web/sa/front')

/** A GET of /basket by the account `front` of the namespace `web`, but for what is given. */
export const request = (parts: Partial<RequestFacts> = {}): RequestFacts => ({
  peer: front,
  sourceIp: '10.1.2.3',
  remoteIp: '10.1.2.3',
  destinationIp: '10.20.0.7',
  destinationPort: 8080,
  sni: undefined,
  method: 'GET',
  path: '/basket',
  host: 'cart.shop.svc.cluster.local',
  headerLines: () => [],
  token: undefined,
  ...parts,
})
