/** `steeple server entry delete`: deletes one entry by its ID, or many by a file. */
import type {
  BatchDeleteEntryResponse,
  _spire_api_server_entry_v1_BatchDeleteEntryResponse_Result as Result,
} from '../../../proto/gen/spire/api/server/entry/v1/BatchDeleteEntryResponse.ts'
import { entryApi } from '../../../proto/load.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { defineCommand } from '../../command.ts'
import { path, text } from '../../flag/kinds.ts'
import { quote } from '../../output/go-quote.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { connectServer } from '../../rpc/endpoint.ts'
import { codeName } from '../../rpc/rpc-error.ts'
import type { Terminal } from '../../terminal.ts'
import { operatorFlags } from '../flags.ts'
import { readJsonFile } from '../json-file.ts'

const RESPONSE = 'spire.api.server.entry.v1.BatchDeleteEntryResponse'

export const deleteEntries = defineCommand({
  summary: 'Delete entries; workloads lose the SVIDs that they have by them',
  examples: ['server entry delete -entryID web', 'server entry delete -file ids.json'],
  flags: {
    ...operatorFlags,
    entryID: text('ID of the entry'),
    file: path('file with {"ids": [...]}, or - for standard input'),
  },
  async run({ entryID, file, output, ...socket }, session) {
    const { terminal } = session
    if (entryID === '' && file === '') {
      throw new IdentityError('REQUEST_INVALID', 'an entry ID is required')
    }
    const ids = file === '' ? [entryID] : readIds(await readJsonFile(file, terminal))
    using server = connectServer(socket, session)
    const client = server.client(entryApi())
    const answer = await server.call<BatchDeleteEntryResponse>((options, done) =>
      client.BatchDeleteEntry({ ids: [...ids] }, options, done),
    )
    if (output === 'json') printJson(terminal, toProtoJson('entry', RESPONSE, answer))
    else printDeleted(answer.results, terminal)
    return 0
  },
})

/** @throws IdentityError REQUEST_INVALID */
export function readIds(document: unknown): readonly string[] {
  const refuse = (what: string): never => {
    throw new IdentityError('REQUEST_INVALID', `${what}, expected {"ids": ["…"]}`)
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    return refuse('the document is no object')
  }
  const ids: unknown = 'ids' in document ? (document.ids ?? []) : []
  if (!Array.isArray(ids)) return refuse('ids is no list')
  return ids.map((id: unknown, index) =>
    typeof id === 'string' ? id : refuse(`ids[${index}] is no text`),
  )
}

function printDeleted(results: readonly Result[], terminal: Terminal): void {
  const isDeleted = ({ status }: Result) => (status?.code ?? 0) === 0
  const deleted = results.filter(isDeleted)
  const failed = results.filter((result) => !isDeleted(result))
  for (const { id } of deleted) terminal.print(`Deleted entry with ID: ${id}\n`)
  for (const { id, status } of failed) {
    const why = `code: ${codeName(status?.code ?? 0)}, msg: ${quote(status?.message ?? '')}`
    terminal.complain(`Failed to delete entry with ID ${id} (${why})\n`)
  }
  const gaps = [deleted, failed].filter(({ length }) => length > 0).map(() => '\n\n')
  terminal.print(`${gaps.join('')}${summaryOf(deleted.length, failed.length)}\n`)
  if (failed.length > 0) {
    throw new IdentityError('REQUEST_INVALID', 'failed to delete one or more entries')
  }
}

function summaryOf(deleted: number, failed: number): string {
  if (deleted === 0 && failed > 0) return `Failed to delete ${failed} entries`
  const but = failed === 0 ? '' : `, but failed to delete ${failed} entries`
  return `Deleted ${deleted} entries successfully${but}`
}
