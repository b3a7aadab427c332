/** Every entry that a filter chooses, page by page. */
import type { _spire_api_server_entry_v1_ListEntriesRequest_FilterInput as FilterInput } from '../../../proto/gen/spire/api/server/entry/v1/ListEntriesRequest.ts'
import type { ListEntriesResponse } from '../../../proto/gen/spire/api/server/entry/v1/ListEntriesResponse.ts'
import type { Entry } from '../../../proto/gen/spire/api/types/Entry.ts'
import { entryApi } from '../../../proto/load.ts'
import { attempting, type Endpoint } from '../../rpc/endpoint.ts'

/** As SPIRE's command asks. */
const PAGE_SIZE = 500

/** @throws IdentityError */
export async function listEntries(server: Endpoint, filter: FilterInput): Promise<Entry[]> {
  const entries: Entry[] = []
  for await (const page of entryPages(server, filter)) entries.push(...page)
  return entries
}

/** The same for who needs not have all of them at once. @throws IdentityError */
export async function* entryPages(
  server: Endpoint,
  filter: FilterInput | null = null,
): AsyncGenerator<readonly Entry[], void, undefined> {
  const client = server.client(entryApi())
  let page_token = ''
  do {
    const page = await attempting(
      'error fetching entries',
      server.call<ListEntriesResponse>((options, done) =>
        client.ListEntries({ filter, page_size: PAGE_SIZE, page_token }, options, done),
      ),
    )
    yield page.entries
    page_token = page.next_page_token
  } while (page_token !== '')
}
