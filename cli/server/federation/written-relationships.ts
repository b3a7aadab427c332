/** What became of each federation that was created or updated: printed, and told by the exit code. */
import type { FederationRelationship } from '../../../proto/gen/spire/api/types/FederationRelationship.ts'
import type { Status } from '../../../proto/gen/spire/api/types/Status.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { federationText } from '../../output/federation-text.ts'
import { quote } from '../../output/go-quote.ts'
import { codeName } from '../../rpc/rpc-error.ts'
import type { Terminal } from '../../terminal.ts'
import type { Requested } from './relationship.ts'

interface Written {
  readonly status: Status | null
  readonly federation_relationship: FederationRelationship | null
}

/**
 * @param requested in the order of the results: the server does not repeat one that it refused
 * @throws IdentityError REQUEST_INVALID after printing, when one was refused
 */
export function printWritten(
  results: readonly Written[],
  requested: readonly Requested[],
  verb: 'create' | 'update',
  terminal: Terminal,
): void {
  let refused = 0
  for (const { status, federation_relationship: written } of results) {
    if ((status?.code ?? 0) === 0 && written !== null) terminal.print(federationText(written))
  }
  for (const [index, { status }] of results.entries()) {
    if ((status?.code ?? 0) === 0) continue
    refused += 1
    const why = `code: ${codeName(status?.code ?? 0)}, msg: ${quote(status?.message ?? '')}`
    // As SPIRE, whose empty line goes to standard output.
    terminal.print('\n')
    terminal.complain(`Failed to ${verb} the following federation relationship (${why}):\n`)
    const one = requested[index]
    if (one === undefined) continue
    const text = federationText({ ...one, trust_domain_bundle: null })
    terminal.complain(text.trimStart())
  }
  if (refused > 0) {
    throw new IdentityError(
      'REQUEST_INVALID',
      `failed to ${verb} one or more federation relationships`,
    )
  }
}
