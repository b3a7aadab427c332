/**
 * Whether the bundles that entries federate with are there. Those found are held until the transaction ends,
 * so that none is removed before the entries that name it are committed.
 */
import type { TrustDomain } from '../../../spiffe/id.ts'
import type { Session } from './session.ts'

export interface BundleFinder {
  /** @returns the first one whose bundle is not there */
  (trustDomains: readonly TrustDomain[]): Promise<TrustDomain | undefined>
  /** Asks for all of them at once. */
  prepare(trustDomains: readonly TrustDomain[]): Promise<void>
}

/** Remembers what it has asked for, and so belongs to one transaction. */
export function createBundleFinder(session: Session): BundleFinder {
  const known = new Map<TrustDomain, boolean>()
  const prepare = async (trustDomains: readonly TrustDomain[]) => {
    const unknown = [...new Set(trustDomains)].filter((name) => !known.has(name))
    if (unknown.length === 0) return
    // In order, or two transactions could wait for each other.
    const rows = await session.all<{ trust_domain: string }>(
      `select trust_domain from bundles where trust_domain = any($1::text[])
        order by trust_domain for key share`,
      unknown,
    )
    const found = new Set(rows.map((row) => row.trust_domain))
    for (const name of unknown) known.set(name, found.has(name))
  }
  const missing = async (trustDomains: readonly TrustDomain[]) => {
    await prepare(trustDomains)
    return trustDomains.find((name) => known.get(name) !== true)
  }
  return Object.assign(missing, { prepare })
}
