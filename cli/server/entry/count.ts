/** `steeple server entry count`: how many entries a filter chooses. */
import type { CountEntriesResponse } from '../../../proto/gen/spire/api/server/entry/v1/CountEntriesResponse.ts'
import { entryApi } from '../../../proto/load.ts'
import { defineCommand } from '../../command.ts'
import { printJson } from '../../output/print.ts'
import { toProtoJson } from '../../output/protojson.ts'
import { connectServer } from '../../rpc/endpoint.ts'
import { operatorFlags } from '../flags.ts'
import { filterFlags, filterOfFlags } from './entry-filter.ts'

const RESPONSE = 'spire.api.server.entry.v1.CountEntriesResponse'

export const count = defineCommand({
  summary: 'Count registration entries',
  examples: ['server entry count', 'server entry count -parentID spiffe://example.org/nodes'],
  flags: { ...operatorFlags, ...filterFlags },
  async run(flags, session) {
    const { terminal } = session
    const filter = filterOfFlags(flags)
    using server = connectServer(flags, session)
    const client = server.client(entryApi())
    const answer = await server.call<CountEntriesResponse>((options, done) =>
      client.CountEntries({ filter }, options, done),
    )
    const noun = answer.count === 1 ? 'registration entry' : 'registration entries'
    if (flags.output === 'json') printJson(terminal, toProtoJson('entry', RESPONSE, answer))
    else terminal.print(`${answer.count} ${noun}\n`)
    return 0
  },
})
