/** Reads the policies of a configuration once, as a start would, for whoever only wants to know what is wrong with them. */
import { openCluster } from '../../kubernetes/open-cluster.ts'
import type { ProxyConfig } from '../config.ts'
import { readTexts } from './policy-directory.ts'
import { wrongWithPolicies } from './read-policies.ts'

/** @returns warnings; @throws IdentityError CONFIG_INVALID listing every mistake */
export async function checkPolicies({
  policyDir,
  policySource,
  mesh,
}: ProxyConfig): Promise<readonly string[]> {
  if (policySource?.kubeConfigFile !== undefined) {
    // A start would wait for the API server itself; that the file can be used is known here.
    using _usable = await openCluster({ kubeconfig: policySource.kubeConfigFile })
  }
  if (policyDir === undefined) return []
  return wrongWithPolicies(await readTexts(policyDir), mesh)
}
