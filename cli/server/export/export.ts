/** `steeple server export`: the entries of a server, SPIRE's or ours, as text that people read and `import` takes. */
import { replaceByStream } from '../../../disk/replace-by-stream.ts'
import type { Bundle as WireBundle } from '../../../proto/gen/spire/api/types/Bundle.ts'
import type { FederationRelationship } from '../../../proto/gen/spire/api/types/FederationRelationship.ts'
import { bundleApi } from '../../../proto/load.ts'
import { fromWireBundle } from '../../../proto/wire.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { defineCommand } from '../../command.ts'
import { boolean } from '../../flag/kinds.ts'
import { connectServer, type Endpoint } from '../../rpc/endpoint.ts'
import { serverSocketFlags } from '../../rpc/socket-path.ts'
import { entryPages } from '../entry/list-entries.ts'
import { listRelationships } from '../federation/list-relationships.ts'
import { STDIN } from '../input-file.ts'
import {
  entryItem,
  LAST_LINE,
  relationshipItem,
  type Section,
  sectionLine,
} from './export-format.ts'

interface What {
  readonly federation: boolean
  readonly withIds: boolean
  /** Told how many items were handed on. */
  readonly onItems: (count: number) => void
}

export const exportEntries = defineCommand({
  summary:
    "Write all registration entries of a server, SPIRE's or ours, as JSON with one entry per line",
  details: `The form is that of the files that "entry create -data" takes; with -withoutIDs that of "entry apply" as well. With -federation the federation relationships stand before the entries, with the bundles that the server has, as "federation create -data" takes them.`,
  examples: [
    'server export entries.json',
    'server export - -socketPath /tmp/spire-server/private/api.sock -federation > all.json',
  ],
  flags: {
    ...serverSocketFlags,
    federation: boolean('federation relationships too'),
    withoutIDs: boolean('leave out the IDs of the entries: whoever reads the file chooses others'),
  },
  words: { usage: '<file, or - for standard output>', count: 1, choices: 'files' },
  async run(flags, session, [file = '']) {
    const { terminal } = session
    using server = connectServer(flags, session)
    const what = {
      ...{ federation: flags.federation === true, withIds: flags.withoutIDs !== true },
      onItems: () => {},
    }
    if (file === STDIN) {
      for await (const text of textOf(server, what)) terminal.print(text)
      return 0
    }
    let items = 0
    const counting = { ...what, onItems: (count: number) => (items += count) }
    await replaceByStream(file, bytesOf(textOf(server, counting)))
    terminal.print(`${items} items written to ${file}\n`)
    return 0
  },
})

async function* bytesOf(texts: AsyncIterable<string>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const text of texts) yield Buffer.from(text)
}

async function* textOf(server: Endpoint, { federation, withIds, onItems }: What) {
  let isFirst = true
  if (federation) {
    yield* sectionOf('federationRelationships', true, relationshipItems(server), onItems)
    isFirst = false
  }
  yield* sectionOf('entries', isFirst, entryItems(server, withIds), onItems)
  yield LAST_LINE
}

async function* sectionOf(
  section: Section,
  isFirst: boolean,
  pages: AsyncIterable<readonly string[]>,
  onItems: (count: number) => void,
): AsyncGenerator<string, void, undefined> {
  yield sectionLine(section, isFirst)
  let isEmptyYet = true
  for await (const items of pages) {
    if (items.length === 0) continue
    onItems(items.length)
    yield `${isEmptyYet ? '' : ',\n'}${items.join(',\n')}`
    isEmptyYet = false
  }
  if (!isEmptyYet) yield '\n'
}

async function* entryItems(server: Endpoint, withIds: boolean) {
  for await (const entries of entryPages(server)) {
    yield entries.map((entry) => entryItem(entry, withIds))
  }
}

async function* relationshipItems(server: Endpoint) {
  for (const one of await listRelationships(server)) {
    yield [relationshipItem(one, await bundleOf(server, one))]
  }
}

async function bundleOf(
  server: Endpoint,
  { trust_domain }: FederationRelationship,
): Promise<Bundle | undefined> {
  const client = server.client(bundleApi())
  try {
    const bundle = await server.call<WireBundle>((options, done) =>
      client.GetFederatedBundle({ trust_domain }, options, done),
    )
    return fromWireBundle(bundle)
  } catch (error) {
    if (error instanceof IdentityError && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}
