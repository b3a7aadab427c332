/**
 * Makes one snapshot of texts that hold policies: several documents in each, lists of objects, objects of other kinds that
 * are left alone. Pure. Fails closed: one mistake anywhere refuses the whole, for a restriction that is left out restricts nothing.
 */
import { parseYamlDocuments } from '../../config/yaml-documents.ts'
import type { AuthorizationPolicy } from '../../policy/authorization-policy.ts'
import { parseAuthorizationPolicy } from '../../policy/parse-authorization-policy.ts'
import { parsePeerAuthentication } from '../../policy/parse-peer-authentication.ts'
import { parseRequestAuthentication } from '../../policy/parse-request-authentication.ts'
import type { PeerAuthentication } from '../../policy/peer-authentication.ts'
import type { RequestAuthentication } from '../../policy/request-authentication.ts'
import type { ObjectName, Parsed } from '../../policy/resource.ts'
import type { MeshSettings, PolicySnapshot } from '../../policy/snapshot.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { missingProviders, type Providers } from './missing-providers.ts'

export interface PolicyText {
  /** For messages: a file's name. */
  readonly name: string
  readonly text: string
}

export interface ReadPolicies {
  readonly snapshot: PolicySnapshot
  readonly objects: number
  readonly warnings: readonly string[]
}

/** Objects in all texts together. */
const MAX_OBJECTS = 20_000
/** More mistakes than this are only counted. */
const MAX_SHOWN = 50
const GROUP = 'security.istio.io/'

export interface Found {
  readonly place: string
  readonly object: unknown
}

/** @throws IdentityError CONFIG_INVALID listing every mistake, one on each line */
export function readPolicies(texts: readonly PolicyText[], mesh: MeshSettings): ReadPolicies {
  const { objects, warnings, ...policies } = readObjects(texts)
  const snapshot = { mesh, ...policies }
  return { snapshot, objects, warnings: [...warnings, ...missingProviders(snapshot)] }
}

/** For whoever does not know the trust domain. @returns warnings; @throws as `readPolicies` */
export function wrongWithPolicies(
  texts: readonly PolicyText[],
  mesh: Providers,
): readonly string[] {
  const { warnings, authorizationPolicies } = readObjects(texts)
  return [...warnings, ...missingProviders({ mesh, authorizationPolicies })]
}

interface ReadObjects extends Omit<PolicySnapshot, 'mesh'> {
  readonly objects: number
  readonly warnings: readonly string[]
}

function readObjects(texts: readonly PolicyText[]): ReadObjects {
  const mistakes: string[] = []
  const warnings: string[] = []
  const found = texts.flatMap((one) => objectsOf(one, mistakes))
  if (found.length > MAX_OBJECTS) {
    mistakes.push(`there are ${found.length} objects (expected at most ${MAX_OBJECTS})`)
  }
  const authorizationPolicies: AuthorizationPolicy[] = []
  const peerAuthentications: PeerAuthentication[] = []
  const requestAuthentications: RequestAuthentication[] = []
  const seen = new Map<string, string>()
  const keep = <T extends ObjectName>(
    { place, object }: Found,
    kind: string,
    parse: (object: unknown) => Parsed<T>,
    into: T[],
  ) => {
    const parsed = parse(object)
    if (parsed.kind === 'faults') {
      mistakes.push(...parsed.faults.map(({ field, message }) => `${place}: ${field}: ${message}`))
      return
    }
    warnings.push(...parsed.warnings.map(({ field, message }) => `${place}: ${field}: ${message}`))
    const name = `${kind} ${parsed.policy.namespace}/${parsed.policy.name}`
    const first = seen.get(name)
    if (first === undefined) {
      seen.set(name, place)
      into.push(parsed.policy)
    } else {
      mistakes.push(`${place}: ${name} is there already, at ${first} (expected one of them)`)
    }
  }
  for (const one of found) {
    const { apiVersion, kind } = headOf(one.object)
    if (!apiVersion.startsWith(GROUP)) {
      warnings.push(
        `${one.place}: a ${kind || 'document without a kind'} is no policy, and is left alone`,
      )
    } else if (kind === 'AuthorizationPolicy') {
      keep(one, kind, parseAuthorizationPolicy, authorizationPolicies)
    } else if (kind === 'PeerAuthentication') {
      keep(one, kind, parsePeerAuthentication, peerAuthentications)
    } else if (kind === 'RequestAuthentication') {
      keep(one, kind, parseRequestAuthentication, requestAuthentications)
    } else {
      const known = 'AuthorizationPolicy, PeerAuthentication or RequestAuthentication'
      mistakes.push(`${one.place}: kind is ${JSON.stringify(kind)} (expected ${known})`)
    }
  }
  refuseMistakes(mistakes)
  const policies = { authorizationPolicies, peerAuthentications, requestAuthentications }
  return { ...policies, objects: seen.size, warnings }
}

/** @param mistakes where it is told that a text is no YAML */
export function objectsOf({ name, text }: PolicyText, mistakes: string[]): readonly Found[] {
  try {
    return parseYamlDocuments(name, text).flatMap(({ line, value }) => {
      if (value === null || value === undefined) return []
      const place = `${name}:${line}`
      const items = listItems(value)
      if (items === undefined) return [{ place, object: value }]
      return items.map((object, index) => ({ place: `${place} items[${index}]`, object }))
    })
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    mistakes.push(error.message)
    return []
  }
}

/** What `kubectl get -o yaml` prints for several objects. */
function listItems(value: unknown): readonly unknown[] | undefined {
  if (typeof value !== 'object' || value === null || !('items' in value)) return undefined
  const { items } = value
  return headOf(value).kind.endsWith('List') && Array.isArray(items) ? items : undefined
}

export function headOf(object: unknown): { readonly apiVersion: string; readonly kind: string } {
  const text = (value: unknown) => (typeof value === 'string' ? value : '')
  if (typeof object !== 'object' || object === null) return { apiVersion: '', kind: '' }
  return {
    apiVersion: text('apiVersion' in object ? object.apiVersion : ''),
    kind: text('kind' in object ? object.kind : ''),
  }
}

function refuseMistakes(mistakes: readonly string[]): void {
  if (mistakes.length === 0) return
  const shown = mistakes.slice(0, MAX_SHOWN)
  if (mistakes.length > MAX_SHOWN) shown.push(`and ${mistakes.length - MAX_SHOWN} more mistakes`)
  throw new IdentityError('CONFIG_INVALID', shown.join('\n'))
}
