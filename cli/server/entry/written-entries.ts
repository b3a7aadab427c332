/** What became of each entry that was created or updated: printed, and told by the exit code. */
import type { Entry } from '../../../proto/gen/spire/api/types/Entry.ts'
import type { Status } from '../../../proto/gen/spire/api/types/Status.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { entryText } from '../../output/entry-text.ts'
import { quote } from '../../output/go-quote.ts'
import { codeName } from '../../rpc/rpc-error.ts'
import type { Terminal } from '../../terminal.ts'

export interface WrittenEntry {
  readonly status: Status | null
  readonly entry: Entry | null
}

/** The server does not always repeat an entry that it refused: then the one that was asked for is shown. */
export function withRequested(
  results: readonly WrittenEntry[],
  requested: readonly Entry[],
): readonly WrittenEntry[] {
  return results.map((result, index) =>
    isWritten(result) ? result : { ...result, entry: requested[index] ?? result.entry },
  )
}

/** @throws IdentityError REQUEST_INVALID after printing, when one was refused */
export function printWritten(
  results: readonly WrittenEntry[],
  verb: 'create' | 'update',
  terminal: Terminal,
): void {
  for (const { entry } of results.filter(isWritten)) {
    if (entry !== null) terminal.print(entryText(entry))
  }
  const refused = results.filter((result) => !isWritten(result))
  for (const { status, entry } of refused) {
    const why = `code: ${codeName(status?.code ?? 0)}, msg: ${quote(status?.message ?? '')}`
    terminal.complain(`Failed to ${verb} the following entry (${why}):\n`)
    if (entry !== null) terminal.complain(entryText(entry))
  }
  if (refused.length > 0) {
    throw new IdentityError('REQUEST_INVALID', `failed to ${verb} one or more entries`)
  }
}

function isWritten({ status }: WrittenEntry): boolean {
  return (status?.code ?? 0) === 0
}
