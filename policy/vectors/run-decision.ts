/**
 * Runs a vector of AuthorizationPolicy: parses its policies, compiles them for the place that it names, and decides.
 */
import { parseSpiffeId, parseTrustDomain } from '../../spiffe/id.ts'
import type { Waypoint } from '../attachment.ts'
import { tokenOf } from '../authenticate-request.ts'
import type { AuthorizationPolicy } from '../authorization-policy.ts'
import {
  type ConnectionAuthorization,
  compileAuthorization,
  type RequestAuthorization,
} from '../compile.ts'
import { decideAfterProviders, providersToAsk } from '../decide.ts'
import type { ConnectionFacts, RequestFacts } from '../facts.ts'
import { normalizePath } from '../normalize-path.ts'
import { parseAuthorizationPolicy } from '../parse-authorization-policy.ts'
import type { PolicySnapshot, Workload } from '../snapshot.ts'
import type { Verdict } from '../verdict.ts'
import type { DecisionCase, VectorFile } from './vector-file.ts'
import { compared, failed, type VectorResult } from './vector-result.ts'

/** Defaults that the vectors are written for. */
const ROOT_NAMESPACE = 'istio-system'
const TRUST_DOMAIN = 'cluster.local'
/** The provider that the vectors' CUSTOM policies name. */
const PROVIDERS = [{ name: 'opa-grpc', kind: 'grpc' }] as const

/** What a client sees of a refusal. */
const RBAC_DENIED = { httpStatus: 403, body: 'RBAC: access denied' }
const PROVIDER_DENIED = { httpStatus: 403, body: '' }
const TCP_CLOSED = { connection: 'closed (client reads EOF)' }
const ZTUNNEL_REFUSED = { connection: 'HBONE: CONNECT answered 401; plaintext: connection reset' }

export function runDecision(file: VectorFile, vector: DecisionCase): VectorResult {
  const of = { section: 'cases', id: vector.id, title: vector.title ?? '' } as const
  const policies: AuthorizationPolicy[] = []
  for (const named of vector.policies) {
    const object = typeof named === 'string' ? file.policies[named] : named
    const parsed = parseAuthorizationPolicy(object)
    if (parsed.kind === 'faults') {
      const [first] = parsed.faults
      const label = typeof named === 'string' ? named : 'a policy'
      return failed(of, `${label} cannot be read: ${first?.field}: ${first?.message}`)
    }
    policies.push(parsed.policy)
  }
  const seen = outcome(vector, snapshotOf(vector, policies))
  return compared(of, vector.expect, seen)
}

function snapshotOf(
  vector: DecisionCase,
  authorizationPolicies: readonly AuthorizationPolicy[],
): PolicySnapshot {
  return {
    mesh: {
      rootNamespace: ROOT_NAMESPACE,
      trustDomain: parseTrustDomain(vector.trustDomain ?? TRUST_DOMAIN),
      trustDomainAliases: (vector.trustDomainAliases ?? []).map(parseTrustDomain),
      pathNormalization: vector.pathNormalization ?? 'BASE',
      refuseAmbiguousPaths: false,
      extensionProviders: PROVIDERS,
      trustedHops: 0,
    },
    authorizationPolicies,
    peerAuthentications: [],
    requestAuthentications: [],
  }
}

type Seen = Readonly<Record<string, unknown>>

function outcome(vector: DecisionCase, snapshot: PolicySnapshot): Seen {
  const { destination, engine } = vector
  const workload: Workload = {
    namespace: destination.namespace,
    name: destination.service ?? '',
    serviceAccount: '',
    labels: destination.labels ?? {},
  }
  if (engine === 'tcp' || engine === 'ztunnel') {
    const place = { kind: engine === 'tcp' ? 'sidecar-tcp' : 'ztunnel' } as const
    const compiled = compileAuthorization(snapshot, workload, place)
    return onConnection(vector, compiled, connectionFacts(vector))
  }
  const facts = requestFacts(vector, snapshot)
  if (facts === undefined) return { decision: 'deny', httpStatus: 400 }
  const place = engine === 'http' ? ({ kind: 'sidecar-http' } as const) : waypointOf(vector)
  return onRequest(vector, compileAuthorization(snapshot, workload, place), facts)
}

function waypointOf({ destination: { namespace, service, waypoint } }: DecisionCase): Waypoint {
  return {
    kind: 'waypoint',
    gateway: waypoint === undefined ? undefined : { namespace, name: waypoint },
    service: service === undefined ? undefined : { kind: 'Service', namespace, name: service },
  }
}

function onConnection(
  vector: DecisionCase,
  compiled: ConnectionAuthorization,
  facts: ConnectionFacts,
): Seen {
  const refusal = vector.engine === 'tcp' ? TCP_CLOSED : ZTUNNEL_REFUSED
  const questions = providersToAsk(compiled, facts)
  const refused = vector.request.extAuthz === 'allow' ? undefined : questions[0]
  if (refused !== undefined) {
    const { namespace, policy } = refused.by
    return { decision: 'deny', why: `custom:${namespace}/${policy}`, ...refusal }
  }
  const agreed = new Set(questions.map(({ provider }) => provider))
  return told(decideAfterProviders(compiled, facts, agreed), refusal)
}

function onRequest(
  vector: DecisionCase,
  compiled: RequestAuthorization,
  facts: RequestFacts,
): Seen {
  const questions = providersToAsk(compiled, facts)
  const refused = vector.request.extAuthz === 'allow' ? undefined : questions[0]
  if (refused !== undefined) {
    const { namespace, policy } = refused.by
    return { decision: 'deny', why: `custom:${namespace}/${policy}`, ...PROVIDER_DENIED }
  }
  const agreed = new Set(questions.map(({ provider }) => provider))
  return told(decideAfterProviders(compiled, facts, agreed), RBAC_DENIED)
}

function told(verdict: Verdict, refusal: Seen): Seen {
  const { kind, why, by } = verdict
  const rule = by && `${by.namespace}/${by.policy}#${by.rule}`
  const reason = why === 'allow-rule' ? `allow:${rule}` : why === 'deny-rule' ? `deny:${rule}` : why
  return { decision: kind, why: reason, ...(kind === 'deny' ? refusal : {}) }
}

function connectionFacts({ request }: DecisionCase): ConnectionFacts {
  const { source, destination, sni } = request
  return {
    peer:
      source.principal === undefined ? undefined : parseSpiffeId(`spiffe://${source.principal}`),
    sourceIp: source.ip,
    remoteIp: source.remoteIp ?? source.ip,
    destinationIp: destination.ip,
    destinationPort: destination.port,
    sni,
  }
}

/** Undefined when the path is refused before any policy sees it. */
function requestFacts(vector: DecisionCase, { mesh }: PolicySnapshot): RequestFacts | undefined {
  const { method = 'GET', path = '/', host = '', headers = {}, jwt } = vector.request
  const normalized = normalizePath(mesh.pathNormalization, path)
  if (normalized.kind === 'refused') return undefined
  const lines = new Map<string, readonly string[]>([
    [':method', [method]],
    [':authority', [host]],
    [':path', [normalized.path + normalized.query]],
  ])
  for (const [name, value] of Object.entries(headers)) {
    lines.set(name.toLowerCase(), typeof value === 'string' ? [value] : value)
  }
  const { spaceDelimitedClaims = [] } = vector
  return {
    ...connectionFacts(vector),
    method,
    path: normalized.path,
    host,
    headerLines: (name) => lines.get(name) ?? [],
    token: jwt && tokenOf({ spaceDelimitedClaims }, jwt),
  }
}
