/**
 * Keyset paging: a list is read in pages, and a token names the place to go on from.
 * A token is only handed out when at least one more item is there.
 */

export interface ReadOptions {
  /** The answer may be a little outdated: a read-only copy of the database may give it. False if not given. */
  readonly mayLag?: boolean | undefined
}

export interface PageRequest extends ReadOptions {
  /** At most this many items, at least 1; more than `MAX_PAGE_ITEMS` is read as that. */
  readonly size: number
  /** `nextToken` of the page before; empty for the first page. */
  readonly token: string
}

export interface Page<T> {
  readonly items: readonly T[]
  /** Opaque; empty on the last page. */
  readonly nextToken: string
}

export const MAX_PAGE_ITEMS = 5_000

/** Reads page after page; used to hand out a whole list, and to load it. */
export async function* eachPage<T>(
  readPage: (request: PageRequest) => Promise<Page<T>>,
  size: number = MAX_PAGE_ITEMS,
): AsyncGenerator<readonly T[], void, undefined> {
  let token = ''
  do {
    const page = await readPage({ size, token })
    if (page.items.length > 0) yield page.items
    token = page.nextToken
  } while (token !== '')
}
