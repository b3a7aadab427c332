/** One snapshot of policies that were read one by one. */
import { expect, test } from 'vitest'
import { assembleSnapshot } from '../../policy/assemble-snapshot.ts'
import {
  POLICY_LISTS,
  type PolicyKind,
  type ReadPolicy,
  readPolicyObject,
} from '../../policy/cluster-object.ts'
import type { MeshSettings } from '../../policy/snapshot.ts'
import { parseTrustDomain } from '../../spiffe/id.ts'

const MESH: MeshSettings = {
  ...{ rootNamespace: 'istio-system', trustDomain: parseTrustDomain('example.org') },
  ...{ trustDomainAliases: [], trustedHops: 0, pathNormalization: 'BASE' },
  ...{ refuseAmbiguousPaths: true, extensionProviders: [] },
}

function policy(kind: PolicyKind, name: string): ReadPolicy {
  const about = { namespace: 'shop', name, createdAt: undefined }
  const { read } = readPolicyObject(kind, 'v1', { spec: {} }, about)
  if (read === undefined) throw new Error(`${kind} ${name} cannot be read`)
  return read
}

test('each kind is where it belongs, in the order in which it came', () => {
  const kinds = Object.keys(POLICY_LISTS) as readonly PolicyKind[] // the keys of a constant
  const snapshot = assembleSnapshot(
    MESH,
    ['b', 'a'].flatMap((name) => kinds.map((kind) => policy(kind, name))),
  )
  const names = (all: readonly { readonly name: string }[]) => all.map(({ name }) => name)
  expect(names(snapshot.authorizationPolicies)).toEqual(['b', 'a'])
  expect(names(snapshot.peerAuthentications)).toEqual(['b', 'a'])
  expect(names(snapshot.requestAuthentications)).toEqual(['b', 'a'])
  expect(snapshot.mesh).toBe(MESH)
})

test('of nothing it holds nothing', () => {
  expect(assembleSnapshot(MESH, [])).toEqual({
    ...{ mesh: MESH, authorizationPolicies: [] },
    ...{ peerAuthentications: [], requestAuthentications: [] },
  })
})
