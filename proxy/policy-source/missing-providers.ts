/** What CUSTOM policies ask for and the mesh does not have: whatever their rules match is denied, which must not come as a surprise. */
import type { PolicySnapshot } from '../../policy/snapshot.ts'

/** What the settings of a mesh say of them. */
export interface Providers {
  readonly extensionProviders: readonly { readonly name: string }[]
}

/** Policies that are told of; more are only counted. */
const MAX_TOLD = 50

/** @returns a warning for each policy, in their order */
export function missingProviders({
  mesh,
  authorizationPolicies,
}: Pick<PolicySnapshot, 'authorizationPolicies'> & {
  readonly mesh: Providers
}): readonly string[] {
  const known = new Set(mesh.extensionProviders.map(({ name }) => name))
  const all = authorizationPolicies.flatMap(({ namespace, name, action }) => {
    if (action.kind !== 'CUSTOM' || known.has(action.provider)) return []
    const what = `there is no extension_provider ${JSON.stringify(action.provider)}`
    return [
      `AuthorizationPolicy ${namespace}/${name}: spec.provider.name: ${what}; what its rules match is denied`,
    ]
  })
  if (all.length <= MAX_TOLD) return all
  return [...all.slice(0, MAX_TOLD), `and ${all.length - MAX_TOLD} more without their provider`]
}
