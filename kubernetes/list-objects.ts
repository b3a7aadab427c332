/** Reads all objects of one kind once, for who asks and does not follow. */
import type { Cluster } from './cluster.ts'
import { readPages } from './read-pages.ts'

/**
 * @param path of the list, e.g. `/api/v1/pods`
 * @param query e.g. a `labelSelector`
 * @throws IdentityError as `readPages`
 */
export async function listObjects(
  cluster: Cluster,
  path: string,
  query: Readonly<Record<string, string>> = {},
): Promise<readonly unknown[]> {
  const objects: unknown[] = []
  for await (const { items } of readPages({ cluster, path, query })) objects.push(...items)
  return objects
}
