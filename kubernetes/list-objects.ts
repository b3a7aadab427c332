/** Reads all objects of one kind once, page by page, for who asks and does not follow. */
import { IdentityError } from '../spiffe/error.ts'
import type { Cluster } from './cluster.ts'
import { listAt, recordAt, textAt } from './object.ts'

const PAGE = 500
/** Nobody who asks once wants more. */
const MAX_PAGES = 400

/**
 * @param path of the list, e.g. `/api/v1/pods`
 * @param query e.g. a `labelSelector`
 * @throws IdentityError as `Cluster.request`; UNAVAILABLE when there are more than 200,000
 */
export async function listObjects(
  cluster: Cluster,
  path: string,
  query: Readonly<Record<string, string>> = {},
): Promise<readonly unknown[]> {
  const objects: unknown[] = []
  let next = ''
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const more: Record<string, string> = next === '' ? {} : { continue: next }
    const answer = await cluster.request({
      ...{ method: 'GET', path },
      query: { ...query, limit: String(PAGE), ...more },
    })
    objects.push(...listAt(answer, 'items'))
    next = textAt(recordAt(answer, 'metadata'), 'continue') ?? ''
    if (next === '') return objects
  }
  throw new IdentityError('UNAVAILABLE', `${path} has more than ${MAX_PAGES * PAGE} objects`)
}
