/**
 * The metadata of one object of any kind, from the API server: by its key, or by its UID among all of its kind. Nothing else of
 * it is asked for, so that a reference to a Secret brings none of it here.
 *
 * Permissions: get on what is named by key, and list on what is named by UID alone.
 */
import type { Cluster } from '../../../kubernetes/cluster.ts'
import {
  isRecord,
  listAt,
  type ObjectMeta,
  readMeta,
  recordAt,
  textAt,
} from '../../../kubernetes/object.ts'
import { statusOf } from '../../../kubernetes/status.ts'
import { IdentityError, reasonOf } from '../../../spiffe/error.ts'
import type { KubernetesObject } from '../reference.ts'

/** How the API server has a resource. */
export interface Resource {
  readonly kind: string
  readonly version: string
  readonly isNamespaced: boolean
}

export interface FoundObject {
  readonly resource: Resource
  readonly meta: ObjectMeta
}

/** `core` is the name of the group without one. */
export const apiGroup = (group: string): string => (group === 'core' ? '' : group)

const METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'
const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'
const PAGE = 500
/** Of a kind with more objects than this, a key must be given. */
const MAX_PAGES = 400

/** @throws IdentityError WORKLOAD_REFERENCE_INVALID, WORKLOAD_NOT_FOUND, UNAVAILABLE when the API server does not tell */
export async function findObject(
  cluster: Cluster,
  object: KubernetesObject,
  signal: AbortSignal,
): Promise<FoundObject> {
  const { plural, group, namespace, name, uid } = object
  const resource = await findResource(cluster, object, signal)
  if (resource.isNamespaced && name !== '' && namespace === '') throw needsNamespace()
  if (!resource.isNamespaced && namespace !== '') {
    throw invalid('namespace must be empty for cluster-scoped resource')
  }
  const path = `${basePath(group, resource.version)}${namespace === '' ? '' : `/namespaces/${segment(namespace)}`}/${segment(plural)}`
  const meta =
    name === ''
      ? await findByUid(cluster, path, uid, signal)
      : await get(cluster, `${path}/${segment(name)}`, signal)
  if (meta === undefined) {
    const what = name === '' ? `with UID ${uid}` : `${namespace}/${name}`
    throw notFound(`${resource.kind} ${what} not found`)
  }
  requireUid(`${plural}.${group}`, meta, uid)
  return { resource, meta }
}

/** @throws IdentityError WORKLOAD_NOT_FOUND when both were given and do not agree */
export function requireUid(
  what: string,
  found: { readonly namespace: string; readonly name: string; readonly uid: string },
  uid: string,
): void {
  if (uid === '' || found.uid === uid) return
  const where = `${what} ${found.namespace}/${found.name}`
  throw notFound(`${where} has UID ${found.uid}, expected ${uid}`)
}

export function needsNamespace(): IdentityError {
  return invalid('namespace is required when name is set for a namespaced resource')
}

export function notFound(why: string): IdentityError {
  return new IdentityError('WORKLOAD_NOT_FOUND', why)
}

function invalid(why: string): IdentityError {
  return new IdentityError('WORKLOAD_REFERENCE_INVALID', why)
}

/** The preferred version of the group first. */
async function findResource(
  cluster: Cluster,
  { plural, group }: KubernetesObject,
  signal: AbortSignal,
): Promise<Resource> {
  for (const version of await versionsOf(cluster, group, signal)) {
    const answer = await ask(cluster, { path: basePath(group, version), signal })
    const found = listAt(answer, 'resources').find((one) => textAt(one, 'name') === plural)
    const kind = textAt(found, 'kind')
    if (!isRecord(found) || kind === undefined) continue
    return { kind, version, isNamespaced: found.namespaced === true }
  }
  throw invalid(`unknown Kubernetes resource ${plural}.${group}`)
}

async function versionsOf(
  cluster: Cluster,
  group: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (apiGroup(group) === '') return ['v1']
  const answer = await ask(cluster, { path: `/apis/${segment(group)}`, signal })
  const preferred = textAt(recordAt(answer, 'preferredVersion'), 'version')
  const all = listAt(answer, 'versions').flatMap((one) => textAt(one, 'version') ?? [])
  return [...new Set([...(preferred === undefined ? [] : [preferred]), ...all])]
}

function basePath(group: string, version: string): string {
  const name = apiGroup(group)
  return name === '' ? `/api/${segment(version)}` : `/apis/${segment(name)}/${segment(version)}`
}

/** A name is one segment of a path, whatever is in it. */
const segment = encodeURIComponent

async function get(
  cluster: Cluster,
  path: string,
  signal: AbortSignal,
): Promise<ObjectMeta | undefined> {
  return readMeta(await ask(cluster, { path, signal, accept: METADATA }))
}

async function findByUid(
  cluster: Cluster,
  path: string,
  uid: string,
  signal: AbortSignal,
): Promise<ObjectMeta | undefined> {
  let next = ''
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const query = { limit: String(PAGE), ...(next === '' ? {} : { continue: next }) }
    const answer = await ask(cluster, { path, signal, accept: METADATA_LIST, query })
    for (const item of listAt(answer, 'items')) {
      const meta = readMeta(item)
      if (meta?.uid === uid) return meta
    }
    next = textAt(recordAt(answer, 'metadata'), 'continue') ?? ''
    if (next === '') return undefined
  }
  const why = `there are more than ${MAX_PAGES * PAGE} objects to look through for a UID; name it by key`
  throw new IdentityError('UNAVAILABLE', why)
}

interface Asked {
  readonly path: string
  readonly signal: AbortSignal
  readonly accept?: string
  readonly query?: Readonly<Record<string, string>>
}

/** @returns undefined for what is not there: what the agent itself may not see is no verdict on a broker */
async function ask(cluster: Cluster, asked: Asked): Promise<unknown> {
  try {
    return await cluster.request({ method: 'GET', ...asked })
  } catch (cause) {
    if (statusOf(cause) === 404) return undefined
    const why = `the agent cannot look at the referenced object: ${reasonOf(cause)}`
    throw new IdentityError('UNAVAILABLE', why, { cause })
  }
}
