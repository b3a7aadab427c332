/** Reads the policies of a configuration once, as a start would, for whoever only wants to know what is wrong with them. */
import type { ProxyConfig } from '../config.ts'
import { readTexts } from './policy-directory.ts'
import { wrongWithPolicies } from './read-policies.ts'

/** @returns warnings; @throws IdentityError CONFIG_INVALID listing every mistake */
export async function checkPolicies({ policyDir }: ProxyConfig): Promise<readonly string[]> {
  if (policyDir === undefined) return []
  return wrongWithPolicies(await readTexts(policyDir))
}
