/**
 * Everything that decides about one request, in the order in which a proxy asks: mutual TLS, the path, the token, external
 * providers, policies. Pure.
 */
import { ambiguityOf } from '../../policy/ambiguous-path.ts'
import { jwtRulesFor, tokenOf } from '../../policy/authenticate-request.ts'
import {
  type ConnectionAuthorization,
  compileAuthorization,
  type RequestAuthorization,
} from '../../policy/compile.ts'
import { decideAfterProviders } from '../../policy/decide.ts'
import { type Explanation, explain } from '../../policy/explain.ts'
import type { ConnectionFacts, RequestFacts, RequestToken } from '../../policy/facts.ts'
import { composePeerAuthentication, type MtlsMode, portMode } from '../../policy/mtls.ts'
import { normalizePath } from '../../policy/normalize-path.ts'
import type { ObjectName } from '../../policy/resource.ts'
import type { PolicySnapshot } from '../../policy/snapshot.ts'
import type { RuleName, Verdict } from '../../policy/verdict.ts'
import type { Question } from './question.ts'

/** `refused`: before any policy was asked. */
export type Outcome =
  | { readonly kind: 'judged'; readonly verdict: Verdict; readonly walk: Explanation }
  | {
      readonly kind: 'refused'
      readonly by: 'mutual-tls' | 'listener' | 'path' | 'token'
      /** HTTP status; undefined when the connection is closed. */
      readonly status: number | undefined
      readonly why: string
    }

type Told = 'allow' | 'deny' | undefined

export interface Answer {
  readonly mode: MtlsMode
  /** PeerAuthentications that decided the mode. */
  readonly modeSources: readonly ObjectName[]
  /** As rules see it; undefined where nobody sees requests. */
  readonly path: string | undefined
  /** External providers whose rules match. */
  readonly providers: readonly { readonly provider: string; readonly by: RuleName }[]
  /** What they are said to answer; undefined: nobody says. */
  readonly told: Told
  readonly outcome: Outcome
  readonly notes: readonly string[]
}

export function answer(question: Question, snapshot: PolicySnapshot): Answer {
  const { workload, place, request } = question
  const required = composePeerAuthentication(
    snapshot.mesh.rootNamespace,
    snapshot.peerAuthentications,
    workload,
  )
  const { caller, door } = question
  const isStrictDoor = door?.isStrict === true
  const mode = isStrictDoor ? 'STRICT' : portMode(required, request.destination.port)
  const modeSources = isStrictDoor ? [] : required.sources
  const base = { mode, modeSources, path: undefined, providers: [], told: request.extAuthz }
  if (mode === 'STRICT' && caller === undefined) {
    const why = `port ${request.destination.port} requires mutual TLS, and the caller speaks plaintext`
    return { ...base, outcome: refused('mutual-tls', undefined, why), notes: [] }
  }
  // Bytes are handed on as they come, so nobody is asked who they are; the node proxy knows no such mode.
  const isUnasked = mode === 'DISABLE' && place.kind !== 'ztunnel'
  const isAnonymous = isUnasked && caller !== undefined
  if (!isUnasked && caller !== undefined && door?.admits(caller) === false) {
    const why = `the listener ${door.name} deals with no ${caller}: neither its list nor the trust domains of the mesh name it`
    return { ...base, outcome: refused('listener', undefined, why), notes: [] }
  }
  const connection = connectionFacts(question, isUnasked)
  const notes = isAnonymous
    ? ['the mode DISABLE asks no caller for a certificate, so policies see none']
    : []
  if (place.kind === 'sidecar-tcp' || place.kind === 'ztunnel') {
    const compiled = compileAuthorization(snapshot, workload, place)
    return { ...base, ...judgeConnection(compiled, connection, request.extAuthz), notes }
  }
  const read = requestFacts(question, snapshot, connection)
  if ('refused' in read) return { ...base, outcome: read.refused, notes }
  const compiled = compileAuthorization(snapshot, workload, place)
  const judged = judgeRequest(compiled, read.facts, request.extAuthz)
  return { ...base, ...judged, path: read.facts.path, notes: [...notes, ...read.notes] }
}

type Refused = Extract<Outcome, { kind: 'refused' }>

const refused = (by: Refused['by'], status: number | undefined, why: string): Refused => ({
  kind: 'refused',
  by,
  status,
  why,
})

function judgeConnection(
  compiled: ConnectionAuthorization,
  facts: ConnectionFacts,
  told: Told,
): Pick<Answer, 'outcome' | 'providers'> {
  const walk = explain(compiled, facts)
  const verdict = decideAfterProviders(compiled, facts, agreed(walk, told))
  return { outcome: { kind: 'judged', verdict, walk }, providers: walk.providers }
}

function judgeRequest(
  compiled: RequestAuthorization,
  facts: RequestFacts,
  told: Told,
): Pick<Answer, 'outcome' | 'providers'> {
  const walk = explain(compiled, facts)
  const verdict = decideAfterProviders(compiled, facts, agreed(walk, told))
  return { outcome: { kind: 'judged', verdict, walk }, providers: walk.providers }
}

/** Who has not been said to agree has not agreed. */
const agreed = ({ providers }: Explanation, told: Told): ReadonlySet<string> =>
  new Set(told === 'allow' ? providers.map(({ provider }) => provider) : [])

function connectionFacts({ request, caller }: Question, isUnasked: boolean): ConnectionFacts {
  const { source, destination, sni } = request
  return {
    peer: isUnasked ? undefined : caller,
    sourceIp: source.ip,
    remoteIp: source.remoteIp ?? source.ip,
    destinationIp: destination.ip,
    destinationPort: destination.port,
    sni,
  }
}

type ReadFacts =
  | { readonly facts: RequestFacts; readonly notes: readonly string[] }
  | { readonly refused: Refused }

function requestFacts(
  question: Question,
  snapshot: PolicySnapshot,
  connection: ConnectionFacts,
): ReadFacts {
  const { mesh } = snapshot
  const { method = 'GET', path: target = '/', host = '', headers = {} } = question.request
  const normalized = normalizePath(mesh.pathNormalization, target)
  if (normalized.kind === 'refused') return { refused: refused('path', 400, normalized.why) }
  const { path, query } = normalized
  const ambiguity = mesh.refuseAmbiguousPaths
    ? ambiguityOf(mesh.pathNormalization, path)
    : undefined
  if (ambiguity !== undefined) return { refused: refused('path', 400, ambiguity) }
  const read = readToken(question, snapshot)
  if ('refused' in read) return read
  const lines = new Map<string, readonly string[]>([
    [':method', [method]],
    [':authority', [host]],
    [':path', [path + query]],
  ])
  for (const [name, value] of Object.entries(headers)) {
    lines.set(name.toLowerCase(), typeof value === 'string' ? [value] : value)
  }
  const headerLines = (name: string) => lines.get(name) ?? []
  const facts = { ...connection, method, path, host, headerLines, token: read.token }
  return { facts, notes: read.notes }
}

type ReadToken =
  | { readonly token: RequestToken | undefined; readonly notes: readonly string[] }
  | { readonly refused: Refused }

/** Signature and times are taken for good: only the claims are at hand. */
function readToken({ request, workload, place }: Question, snapshot: PolicySnapshot): ReadToken {
  const claims = request.jwt
  if (claims === undefined) return { token: undefined, notes: [] }
  const rules = jwtRulesFor(snapshot, workload, place)
  if (rules.length === 0) {
    const note = 'no RequestAuthentication applies here, so the token is not looked at'
    return { token: undefined, notes: [note] }
  }
  const issued = rules.filter(({ issuer }) => issuer === '' || issuer === claims.iss)
  if (issued.length === 0) return { refused: refused('token', 401, 'Jwt issuer is not configured') }
  const audiences = [claims.aud].flat()
  const rule = issued.find(
    (one) => one.audiences.length === 0 || one.audiences.some((name) => audiences.includes(name)),
  )
  return rule === undefined
    ? { refused: refused('token', 403, 'Audiences in Jwt are not allowed') }
    : { token: tokenOf(rule, claims), notes: [] }
}
