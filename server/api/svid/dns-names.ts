/** DNS names of a CSR to be signed as they are. */
import { IdentityError } from '../../../spiffe/error.ts'
import { checkDnsName } from '../../entries/dns-name.ts'
import { within } from '../refusal.ts'

/** @throws IdentityError ENTRY_INVALID for a bad name, and for a name that a wildcard beside it covers */
export function checkCsrDnsNames(names: readonly string[]): void {
  for (const name of names) within('CSR DNS name is invalid', () => checkDnsName(name))
  const wildcards = new Set(names.filter((name) => name.startsWith('*')))
  const covered = names.find(
    (name) => !name.startsWith('*') && wildcards.has(`*${name.slice(name.indexOf('.'))}`),
  )
  if (covered !== undefined) {
    throw new IdentityError(
      'ENTRY_INVALID',
      `CSR DNS name contains a wildcard that covers another non-wildcard name: name ${JSON.stringify(covered)} overlaps with an existing wildcard name in the list: wildcard overlap`,
    )
  }
}
