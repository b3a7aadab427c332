/** The entries that `entry create` and `entry update` are about: those of a file, or the one of the flags. */
import type { Entry } from '../../../proto/gen/spire/api/types/Entry.ts'
import type { Terminal } from '../../terminal.ts'
import { readJsonFile } from '../json-file.ts'
import { parseEntryFile } from './entry-file.ts'

/** @throws IdentityError */
export async function entriesOfFile(path: string, terminal: Terminal): Promise<readonly Entry[]> {
  const { entries, unknown } = parseEntryFile(await readJsonFile(path, terminal))
  for (const name of unknown) terminal.complain(`Warning: ${name} means nothing and is ignored\n`)
  return entries
}
