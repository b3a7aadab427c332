/** `steeple server import`: registers what `export` wrote, at any server, SPIRE's or ours. A second time there is nothing to do. */
import type { FederationRelationship } from '../../../proto/gen/spire/api/types/FederationRelationship.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { defineCommand } from '../../command.ts'
import { boolean } from '../../flag/kinds.ts'
import { connectServer, type Endpoint } from '../../rpc/endpoint.ts'
import { serverSocketFlags } from '../../rpc/socket-path.ts'
import { listRelationships } from '../federation/list-relationships.ts'
import { STDIN } from '../input-file.ts'
import { readExisting } from './existing-entries.ts'
import { type EntryImport, type ImportOptions, importEntries } from './import-entries.ts'
import { importRelationship } from './import-relationships.ts'
import { type Item, readItems } from './read-items.ts'
import { createTally, type Tally } from './tally.ts'

export const importFile = defineCommand({
  summary: "Register the entries of an export at a server, SPIRE's or ours",
  details: `The file is what "export" writes, or any JSON or YAML of the same members. Entries that are there already stay as they are, and nothing is ever deleted. IDs are kept; times of creation and revisions are the server's own.

Each refusal is told with its line, the rest is imported, and the exit code is 1.`,
  examples: [
    'server import entries.json -dryRun',
    'server import entries.json -update',
    'server import - < entries.json',
  ],
  flags: {
    ...serverSocketFlags,
    dryRun: boolean('tell what would be done and do nothing'),
    update: boolean('change entries of the same ID, and federations of the same name, that differ'),
  },
  words: { usage: '<file, or - for standard input>', count: 1, choices: 'files' },
  async run(flags, session, [file = '']) {
    const { terminal } = session
    using server = connectServer(flags, session)
    const options = { dryRun: flags.dryRun === true, updates: flags.update === true }
    const tally = createTally(file === STDIN ? 'standard input' : file, terminal)
    const takers = createTakers(server, options, tally)
    for await (const item of readItems(file, terminal)) await takers.take(item)
    await takers.finish()
    terminal.print(tally.text(options.dryRun))
    if (tally.refused() > 0) {
      throw new IdentityError('REQUEST_INVALID', `${tally.refused()} could not be imported`)
    }
    return 0
  },
})

/** What is there is asked for when the first item needs it. */
function createTakers(server: Endpoint, options: ImportOptions, tally: Tally): EntryImport {
  let entries: EntryImport | undefined
  let relationships: ReadonlyMap<string, FederationRelationship> | undefined
  return {
    async take(item: Item) {
      if (item.section === 'entries') {
        entries ??= importEntries(server, await readExisting(server), options, tally)
        return await entries.take(item)
      }
      relationships ??= new Map(
        (await listRelationships(server)).map((one) => [one.trust_domain, one]),
      )
      await importRelationship(server, item, relationships, options, tally)
    },
    finish: async () => await entries?.finish(),
  }
}
