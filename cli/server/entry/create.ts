/** `steeple server entry create`: registers one entry by flags, or many by a file. */
import type { BatchCreateEntryResponse } from '../../../proto/gen/spire/api/server/entry/v1/BatchCreateEntryResponse.ts'
import type { Entry } from '../../../proto/gen/spire/api/types/Entry.ts'
import { entryApi } from '../../../proto/load.ts'
import { defineCommand } from '../../command.ts'
import { boolean } from '../../flag/kinds.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { connectServer } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'
import { entriesOfFile } from './entries-to-write.ts'
import { type EntryFlagValues, entryFlags, entryOfFlags, mustBeGiven } from './entry-flags.ts'
import { printWritten, withRequested } from './written-entries.ts'

const RESPONSE = 'spire.api.server.entry.v1.BatchCreateEntryResponse'

export const create = defineCommand({
  summary: 'Register a workload: whoever matches all selectors on that node gets the SPIFFE ID',
  examples: [
    'server entry create -parentID spiffe://example.org/spire/agent/join_token/1234 \\\n' +
      '      -spiffeID spiffe://example.org/web -selector unix:uid:1000',
    'server entry create -node -spiffeID spiffe://example.org/nodes -selector k8s_psat:cluster:one',
    'server entry create -data entries.json',
  ],
  flags: {
    ...operatorFlags,
    ...entryFlags,
    node: boolean('the entry stands for nodes: its parent is the server'),
  },
  async run(flags, session) {
    const entries =
      flags.data === ''
        ? [entryToCreate(flags, flags.node === true)]
        : await entriesOfFile(flags.data, session.terminal)
    using server = connectServer(flags, session)
    const client = server.client(entryApi())
    const answer = await server.call<BatchCreateEntryResponse>((options, done) =>
      client.BatchCreateEntry({ entries: [...entries] }, options, done),
    )
    const results = withRequested(answer.results, entries)
    if (flags.output === 'json') {
      printJson(session.terminal, toProtoJson('entry', RESPONSE, { results }))
    } else printWritten(results, 'create', session.terminal)
    return 0
  },
})

function entryToCreate(flags: EntryFlagValues, isNode: boolean): Entry {
  mustBeGiven(
    [flags.selector.length > 0, 'at least one selector is required'],
    [isNode || flags.parentID !== '', 'a parent ID is required if the node flag is not set'],
    [flags.spiffeID !== '', 'a SPIFFE ID is required'],
  )
  return entryOfFlags(flags, { isNode })
}
