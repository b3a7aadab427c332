/** `steeple server entry update`: replaces one entry by flags, or many by a file. Nothing of the old one stays. */
import type { BatchUpdateEntryResponse } from '../../../proto/gen/spire/api/server/entry/v1/BatchUpdateEntryResponse.ts'
import type { Entry } from '../../../proto/gen/spire/api/types/Entry.ts'
import { entryApi } from '../../../proto/load.ts'
import { defineCommand } from '../../command.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { attempting, connectServer } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'
import { entriesOfFile } from './entries-to-write.ts'
import { type EntryFlagValues, entryFlags, entryOfFlags, mustBeGiven } from './entry-flags.ts'
import { printWritten, withRequested } from './written-entries.ts'

const RESPONSE = 'spire.api.server.entry.v1.BatchUpdateEntryResponse'
const MERGING = 'failed to fetch existing entry to merge additional attributes'

export const update = defineCommand({
  summary: 'Replace an entry: what is not said is as if it had never been set',
  examples: [
    'server entry update -entryID web -parentID spiffe://example.org/spire/agent/join_token/1234 \\\n' +
      '      -spiffeID spiffe://example.org/web -selector unix:uid:1000 -hint public',
  ],
  flags: { ...operatorFlags, ...entryFlags },
  async run(flags, session) {
    const fromFile =
      flags.data === '' ? undefined : await entriesOfFile(flags.data, session.terminal)
    const fromFlags = fromFile === undefined ? entryToUpdate(flags) : undefined
    using server = connectServer(flags, session)
    const client = server.client(entryApi())
    const { disableX509SVIDPrefetch: prefetchOff, jwtSVIDIncludeJTI: includeJti } = flags
    const entries: Entry[] = [...(fromFile ?? [])]
    if (fromFlags !== undefined) {
      // These two come together in the protocol: naming one must not reset the other.
      const isNamed = prefetchOff !== undefined || includeJti !== undefined
      const old = isNamed
        ? await attempting(
            MERGING,
            server.call<Entry>((options, done) =>
              client.GetEntry({ id: flags.entryID }, options, done),
            ),
          )
        : undefined
      entries.push(old === undefined ? fromFlags : merged(fromFlags, old, prefetchOff, includeJti))
    }
    const answer = await server.call<BatchUpdateEntryResponse>((options, done) =>
      client.BatchUpdateEntry({ entries }, options, done),
    )
    const results = withRequested(answer.results, entries)
    if (flags.output === 'json') {
      printJson(session.terminal, toProtoJson('entry', RESPONSE, { results }))
    } else printWritten(results, 'update', session.terminal)
    return 0
  },
})

function entryToUpdate(flags: EntryFlagValues): Entry {
  mustBeGiven(
    [flags.entryID !== '', 'entry ID is required'],
    [flags.selector.length > 0, 'at least one selector is required'],
    [flags.parentID !== '', 'a parent ID is required'],
    [flags.spiffeID !== '', 'a SPIFFE ID is required'],
  )
  return entryOfFlags(flags, { isNode: false })
}

function merged(
  entry: Entry,
  { additional_attributes: old }: Entry,
  prefetchOff: boolean | undefined,
  includeJti: boolean | undefined,
): Entry {
  return {
    ...entry,
    additional_attributes: {
      disable_x509_svid_prefetch: prefetchOff ?? old?.disable_x509_svid_prefetch ?? false,
      jwt_svid_include_jti: includeJti ?? old?.jwt_svid_include_jti ?? false,
    },
  }
}
