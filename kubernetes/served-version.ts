/** Which version of a group's resources an API server serves: some are there only behind a feature gate, or once installed. */
import { IdentityError } from '../spiffe/error.ts'
import type { Cluster } from './cluster.ts'
import { listAt, textAt } from './object.ts'
import { statusOf } from './status.ts'

export interface ResourceInQuestion<Version extends string> {
  /** E.g. `certificates.k8s.io`. */
  readonly group: string
  /** The plural of its path, e.g. `clustertrustbundles`. */
  readonly resource: string
  /** The best first. */
  readonly versions: readonly Version[]
  readonly signal?: AbortSignal
}

/** @returns the first version that is served; undefined for none of them @throws IdentityError as a request does */
export async function servedVersion<Version extends string>(
  cluster: Cluster,
  { group, resource, versions, signal }: ResourceInQuestion<Version>,
): Promise<Version | undefined> {
  for (const version of versions) {
    const path = `/apis/${group}/${version}`
    const found = await cluster
      .request({ method: 'GET', path, ...(signal === undefined ? {} : { signal }) })
      .catch(unlessMissing)
    if (listAt(found, 'resources').some((one) => textAt(one, 'name') === resource)) return version
  }
  return undefined
}

function unlessMissing(error: unknown): undefined {
  if (statusOf(error) !== 404) throw error
}

export interface ResourcesInQuestion<Kind extends string, Version extends string>
  extends Omit<ResourceInQuestion<Version>, 'resource'> {
  /** Kind → the plural of its path. */
  readonly resources: Readonly<Record<Kind, string>>
  /** Ends the message when one of them is missing: what to install. */
  readonly advice: string
}

/**
 * For several kinds that are all needed; each by itself, for a release may serve some of them in an older version alone.
 * @throws IdentityError NOT_FOUND naming a resource that is served in none, and as a request does
 */
export async function servedVersions<Kind extends string, Version extends string>(
  cluster: Cluster,
  { resources, advice, ...question }: ResourcesInQuestion<Kind, Version>,
): Promise<Readonly<Record<Kind, Version>>> {
  const { group, versions } = question
  const find = async (resource: string): Promise<Version> => {
    const version = await servedVersion(cluster, { ...question, resource })
    if (version !== undefined) return version
    const why = `the API server has no ${resource}.${group} in ${versions.join(' or ')}`
    throw new IdentityError('NOT_FOUND', `${why}; ${advice}`)
  }
  const found = await Promise.all(
    Object.entries<string>(resources).map(async ([kind, one]) => [kind, await find(one)] as const),
  )
  return Object.fromEntries(found) as Record<Kind, Version> // one for each kind
}
