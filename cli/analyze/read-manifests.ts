/**
 * Reads policies and workloads from the same texts, keeping each object's place. What a proxy refuses is kept as a fault,
 * so that one mistake does not hide the others.
 */
import type { AuthorizationPolicy } from '../../policy/authorization-policy.ts'
import { parseAuthorizationPolicy } from '../../policy/parse-authorization-policy.ts'
import { parsePeerAuthentication } from '../../policy/parse-peer-authentication.ts'
import { parseRequestAuthentication } from '../../policy/parse-request-authentication.ts'
import type { PeerAuthentication } from '../../policy/peer-authentication.ts'
import type { RequestAuthentication } from '../../policy/request-authentication.ts'
import type { Fault, ObjectName, Parsed } from '../../policy/resource.ts'
import {
  type Found,
  headOf,
  objectsOf,
  type PolicyText,
} from '../../proxy/policy-source/read-policies.ts'

/** A mistake that refuses an object, or with it all that stand in the same text. */
export interface Refusal extends Fault {
  /** `file:line`; for a text that is no YAML its name. */
  readonly place: string
  /** E.g. `AuthorizationPolicy shop/cart`; empty when it is not known. */
  readonly object: string
}

export interface Manifests {
  readonly authorizationPolicies: readonly AuthorizationPolicy[]
  readonly peerAuthentications: readonly PeerAuthentication[]
  readonly requestAuthentications: readonly RequestAuthentication[]
  /** Objects that are no policies. */
  readonly others: readonly unknown[]
  readonly refused: readonly Refusal[]
  /** Of objects that are accepted: a selector without labels. */
  readonly warned: readonly Refusal[]
  /** Kind, namespace and name → `file:line`. */
  readonly places: ReadonlyMap<string, string>
}

const GROUP = 'security.istio.io/'

export const keyOf = (kind: string, { namespace, name }: ObjectName): string =>
  `${kind} ${namespace}/${name}`

export function readManifests(texts: readonly PolicyText[]): Manifests {
  const refused: Refusal[] = []
  const warned: Refusal[] = []
  const places = new Map<string, string>()
  const others: unknown[] = []
  const authorizationPolicies: AuthorizationPolicy[] = []
  const peerAuthentications: PeerAuthentication[] = []
  const requestAuthentications: RequestAuthentication[] = []
  const keep = <T extends ObjectName>(
    { place, object }: Found,
    kind: string,
    parse: (object: unknown) => Parsed<T>,
    into: T[],
  ) => {
    const parsed = parse(object)
    if (parsed.kind === 'faults') {
      refused.push(...parsed.faults.map((one) => ({ ...one, place, object: named(kind, object) })))
      return
    }
    const key = keyOf(kind, parsed.policy)
    const first = places.get(key)
    if (first !== undefined) {
      const message = `it is there already, at ${first}; keep one of them`
      refused.push({ place, object: key, field: 'metadata.name', message })
      return
    }
    places.set(key, place)
    into.push(parsed.policy)
    // What the parser warns of in rules, the linter tells with what to write instead.
    const own = parsed.warnings.filter(({ field }) => !field.startsWith('spec.rules'))
    warned.push(...own.map((one) => ({ ...one, place, object: key })))
  }
  for (const found of objectsIn(texts, refused)) {
    const { apiVersion, kind } = headOf(found.object)
    if (!apiVersion.startsWith(GROUP)) others.push(found.object)
    else if (kind === 'AuthorizationPolicy') {
      keep(found, kind, parseAuthorizationPolicy, authorizationPolicies)
    } else if (kind === 'PeerAuthentication') {
      keep(found, kind, parsePeerAuthentication, peerAuthentications)
    } else if (kind === 'RequestAuthentication') {
      keep(found, kind, parseRequestAuthentication, requestAuthentications)
    } else {
      const message = `found ${JSON.stringify(kind)}, expected AuthorizationPolicy, PeerAuthentication or RequestAuthentication`
      refused.push({ place: found.place, object: '', field: 'kind', message })
    }
  }
  return {
    ...{ authorizationPolicies, peerAuthentications, requestAuthentications },
    ...{ others, refused, warned, places },
  }
}

function objectsIn(texts: readonly PolicyText[], refused: Refusal[]): readonly Found[] {
  return texts.flatMap((text) => {
    const mistakes: string[] = []
    const found = objectsOf(text, mistakes)
    refused.push(
      ...mistakes.map((message) => ({ place: text.name, object: '', field: '', message })),
    )
    return found
  })
}

/** As far as it can be read. */
function named(kind: string, object: unknown): string {
  if (typeof object !== 'object' || object === null || !('metadata' in object)) return kind
  const { metadata } = object
  if (typeof metadata !== 'object' || metadata === null || !('name' in metadata)) return kind
  const namespace = 'namespace' in metadata ? String(metadata.namespace) : 'default'
  return keyOf(kind, { namespace, name: String(metadata.name) })
}
