/** `steeple server entry show`: one entry by its ID, or all that a filter chooses. */
import type { Entry } from '../../../proto/gen/spire/api/types/Entry.ts'
import { entryApi } from '../../../proto/load.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { defineCommand } from '../../command.ts'
import { text } from '../../flag/kinds.ts'
import { entryText } from '../../output/entry-text.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { attempting, connectServer, type Endpoint } from '../../rpc/endpoint.ts'
import type { Terminal } from '../../terminal.ts'
import { operatorFlags } from '../flags.ts'
import { type FilterFlagValues, filterFlags, filterOfFlags } from './entry-filter.ts'
import { sortEntries } from './entry-order.ts'
import { listEntries } from './list-entries.ts'

const RESPONSE = 'spire.api.server.entry.v1.ListEntriesResponse'

export const show = defineCommand({
  summary: 'List registration entries, all of them unless something is asked for',
  examples: [
    'server entry show',
    'server entry show -spiffeID spiffe://example.org/web',
    'server entry show -selector unix:uid:1000 -output json',
  ],
  flags: { ...operatorFlags, ...filterFlags, entryID: text('only the entry of this ID') },
  async run(flags, session) {
    const { terminal } = session
    const { entryID } = flags
    if (entryID !== '') mustStandAlone(flags)
    using server = connectServer(flags, session)
    const found =
      entryID === ''
        ? await listEntries(server, filterOfFlags(flags))
        : [await findEntry(server, entryID)]
    const entries = sortEntries(found)
    if (flags.output === 'json') {
      printJson(terminal, toProtoJson('entry', RESPONSE, { entries, next_page_token: '' }))
    } else printEntries(entries, terminal)
    return 0
  },
})

function mustStandAlone({ parentID, spiffeID, selector }: FilterFlagValues): void {
  if (parentID === '' && spiffeID === '' && selector.length === 0) return
  throw new IdentityError('REQUEST_INVALID', "the -entryID flag can't be combined with others")
}

function findEntry(server: Endpoint, id: string): Promise<Entry> {
  const client = server.client(entryApi())
  return attempting(
    `error fetching entry ID ${id}`,
    server.call<Entry>((options, done) => client.GetEntry({ id }, options, done)),
  )
}

function printEntries(entries: readonly Entry[], terminal: Terminal): void {
  terminal.print(`Found ${entries.length} ${entries.length === 1 ? 'entry' : 'entries'}\n`)
  terminal.print(entries.map(entryText).join(''))
}
