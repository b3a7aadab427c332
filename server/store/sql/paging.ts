/** Page tokens over a key that grows: what they look like, and how a page is cut from the rows read. */
import { IdentityError } from '../../../spiffe/error.ts'
import { MAX_PAGE_ITEMS, type Page, type PageRequest } from '../page.ts'

/** How many items a page holds. @throws IdentityError REQUEST_INVALID */
export function pageSize({ size }: PageRequest): number {
  if (!Number.isInteger(size) || size < 1) {
    throw new IdentityError('REQUEST_INVALID', `cannot paginate with page size ${size}`)
  }
  return Math.min(size, MAX_PAGE_ITEMS)
}

/**
 * The key to go on after, empty for the first page. `list` ties a token to its kind of list.
 * @throws IdentityError REQUEST_INVALID
 */
export function keyAfter({ token }: PageRequest, list: string): string {
  if (token === '') return ''
  const [kind, ...rest] = Buffer.from(token, 'base64url').toString('utf8').split('/')
  const key = rest.join('/')
  if (kind !== list || key === '' || tokenFor(list, key) !== token) throw tokenError(token)
  return key
}

/** As `keyAfter`, for lists ordered by row number; 0 for the first page. */
export function rowAfter(request: PageRequest, list: string): number {
  const key = keyAfter(request, list)
  if (key === '') return 0
  const row = Number(key)
  if (!Number.isSafeInteger(row) || row < 1) throw tokenError(request.token)
  return row
}

/** Cuts a page from up to `size + 1` rows: the one too many proves that the next page is not empty. */
export function cutPage<Row, T>(
  rows: readonly Row[],
  size: number,
  list: string,
  keyOf: (row: Row) => string | number,
  decode: (row: Row) => T,
): Page<T> {
  const kept = rows.slice(0, size)
  const last = kept.at(-1)
  const isMore = rows.length > size && last !== undefined
  return { items: kept.map(decode), nextToken: isMore ? tokenFor(list, `${keyOf(last)}`) : '' }
}

function tokenFor(list: string, key: string): string {
  return Buffer.from(`${list}/${key}`, 'utf8').toString('base64url')
}

function tokenError(token: string): IdentityError {
  return new IdentityError(
    'REQUEST_INVALID',
    `could not parse token ${JSON.stringify(token.slice(0, 128))}: expected the token of the page before`,
  )
}
