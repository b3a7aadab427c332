/** Reads a list page by page. What is no list is an error, so that nobody takes a broken answer for one of nothing. */
import { IdentityError } from '../spiffe/error.ts'
import type { Cluster } from './cluster.ts'
import { isRecord, recordAt, textAt } from './object.ts'

export interface PagesOptions {
  readonly cluster: Cluster
  /** Of the list, e.g. `/api/v1/pods`. */
  readonly path: string
  /** E.g. a `fieldSelector`. */
  readonly query?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export interface Page {
  readonly items: readonly unknown[]
  /** Of the whole list: where a watch goes on after the last page. */
  readonly version: string
}

const PAGE = 500
/** Of one list: a million objects. A server whose list has no end has none that could be believed. */
const MAX_PAGES = 2_000

/** @throws IdentityError as `Cluster.request`; UNAVAILABLE for an answer without items or version, and for a list without end */
export async function* readPages(options: PagesOptions): AsyncGenerator<Page> {
  const { cluster, path, query, signal } = options
  let next = ''
  for (let count = 0; count < MAX_PAGES; count += 1) {
    const more: Record<string, string> = next === '' ? {} : { continue: next }
    const answer = await cluster.request({
      ...{ method: 'GET', path },
      ...(signal === undefined ? {} : { signal }),
      query: { ...query, limit: String(PAGE), ...more },
    })
    const page = readPage(path, answer)
    yield page
    next = page.next
    if (next === '') return
  }
  throw noList(path, `in more than ${MAX_PAGES} pages`)
}

function readPage(path: string, page: unknown) {
  const items = isRecord(page) ? page.items : undefined
  const metadata = recordAt(page, 'metadata')
  const version = textAt(metadata, 'resourceVersion') ?? ''
  // Go writes a list of nothing as null where nobody has made one.
  if (!Array.isArray(items) && items !== null) throw noList(path, 'without items')
  if (version === '') throw noList(path, 'without a version')
  const found: readonly unknown[] = items ?? []
  return { items: found, version, next: textAt(metadata, 'continue') ?? '' }
}

function noList(path: string, how: string): IdentityError {
  return new IdentityError('UNAVAILABLE', `the API server answered GET ${path} ${how}: no list`)
}
