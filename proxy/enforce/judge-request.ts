/**
 * What enforcement says of one request: its path is brought into the form that rules see, its tokens are checked, policy is
 * asked, and the head is edited for the workload. On doubt the request is answered here and never forwarded.
 */
import {
  type Authentication,
  authenticateRequest,
  jwtRulesFor,
  type VerifyToken,
} from '../../policy/authenticate-request.ts'
import type { ConnectionFacts, RequestFacts } from '../../policy/facts.ts'
import type { JwtRule } from '../../policy/request-authentication.ts'
import { ruleId } from '../../policy/rule-set.ts'
import { type RequestEdits, requestEdits } from '../../policy/token-edits.ts'
import type { TokenRequest } from '../../policy/token-locations.ts'
import { withoutCookies, withoutParams } from '../../policy/token-locations.ts'
import { editedHead } from '../ext-authz/edited-head.ts'
import type {
  HeadEdits,
  HeaderLine,
  JudgeOccasion,
  RequestHead,
  RequestJudgement,
} from '../http/exchange.ts'
import { rbacDenied, textAnswer } from '../http/local-answer.ts'
import type { Engine, InForce } from './engine.ts'
import { type JudgedPath, normalizedPaths } from './normalized-paths.ts'
import { remoteIpOf } from './remote-ip.ts'

/** For all connections of a listener. */
export interface RequestJudge {
  /** @param connectionEdits for the workload, beside those that tokens ask for */
  judge(
    head: RequestHead,
    facts: ConnectionFacts,
    connectionEdits: HeadEdits | undefined,
    occasion: JudgeOccasion,
  ): RequestJudgement | Promise<RequestJudgement>
}

/** What is worked out once for each policy in force. */
interface Prepared {
  readonly inForce: InForce
  readonly jwtRules: readonly JwtRule[]
  readonly pathOf: (target: string) => JudgedPath
  readonly trustedHops: number
}

export function createRequestJudge(engine: Engine, verify: VerifyToken): RequestJudge {
  let prepared: Prepared | undefined
  const preparedNow = (): Prepared => {
    const inForce = engine.inForce()
    if (prepared?.inForce !== inForce) {
      const { snapshot, workload } = inForce
      const jwtRules = jwtRulesFor(snapshot, workload, { kind: 'sidecar-http' })
      const { trustedHops } = snapshot.mesh
      prepared = { inForce, jwtRules, pathOf: normalizedPaths(snapshot.mesh), trustedHops }
    }
    return prepared
  }
  /** What providers said of the request that a head shows now: it is shown by the same object for its whole life. */
  const consents = new WeakMap<RequestHead, { said: Agreed }>()
  let isAnyoneAsked = false
  return {
    judge(head, connection, connectionEdits, occasion) {
      if (head.method === 'CONNECT') return noTunnel()
      const { pathOf, trustedHops } = preparedNow()
      const judged = pathOf(head.path)
      if (judged.kind === 'refused') return badPath(judged.why)
      // Rules and providers see what the workload will: nobody passes by a header that is taken out.
      const seen = editedHead(head, connectionEdits)
      const facts = factsOf(seen, connection, judged.path, trustedHops)
      // The head may have shown another request before.
      if (isAnyoneAsked && occasion === 'request') consents.delete(head)
      const questions = engine.providersOf(facts)
      const known = questions.length === 0 ? NOBODY : (consents.get(head)?.said ?? NOBODY)
      if (questions.every(({ provider }) => known.agreed.has(provider))) {
        const asked = { head: seen, connection, connectionEdits, judged, facts }
        return afterProviders({ engine, verify, now: preparedNow() }, asked, known)
      }
      const about = { head: seen, target: judged.target }
      const record = { said: known }
      consents.set(head, record)
      isAnyoneAsked = true
      return engine.askProviders(questions, facts, about, known.agreed).then((consent) => {
        if (consent.kind === 'refused') {
          const verdict = engine.judgeRequest(facts, consent.agreed)
          // A policy that came meanwhile may not ask any more; the answer was given by the one before.
          return { kind: 'answer', verdict, answer: consent.answer }
        }
        const { agreed } = consent
        record.said = { agreed, edits: joinEdits(known.edits, consent.edits) }
        const asked = { head: seen, connection, connectionEdits, judged, facts }
        return afterProviders({ engine, verify, now: preparedNow() }, asked, record.said)
      })
    },
  }
}

interface Judging {
  readonly engine: Engine
  readonly verify: VerifyToken
  readonly now: Prepared
}

/** The rest of the judgement, of the request as the providers want it. */
function afterProviders(
  { engine, verify, now: { jwtRules, trustedHops } }: Judging,
  asked: Asked,
  { agreed, edits: said }: Agreed,
): RequestJudgement | Promise<RequestJudgement> {
  const { connection, judged } = asked
  const head = editedHead(asked.head, said)
  const facts =
    said === undefined ? asked.facts : factsOf(head, connection, judged.path, trustedHops)
  const before = joinEdits(asked.connectionEdits, said)
  const target = judged.target === head.path ? undefined : judged.target
  if (jwtRules.length === 0) return conclude(engine, facts, withPath(before, target), agreed)
  const request = tokenRequest(head, connection, judged.target)
  return authenticateRequest(jwtRules, request, verify).then((authentication) => {
    if (authentication.kind === 'refused') return tokenRefused(authentication)
    const edits = requestEdits(jwtRules, authentication)
    const token = authentication.kind === 'valid' ? authentication.token : undefined
    const merged = mergeEdits(before, edits, head, judged.target)
    return conclude(engine, { ...facts, token }, merged, agreed)
  })
}

/** A request whose path is good. */
interface Asked {
  readonly head: RequestHead
  readonly connection: ConnectionFacts
  readonly connectionEdits: HeadEdits | undefined
  readonly judged: Extract<JudgedPath, { kind: 'path' }>
  readonly facts: RequestFacts
}

/** Who has agreed to a request, and what they asked to be changed in it. */
interface Agreed {
  readonly agreed: ReadonlySet<string>
  readonly edits: HeadEdits | undefined
}

const NOBODY: Agreed = { agreed: new Set(), edits: undefined }

/** Both; neither has a path of its own. */
function joinEdits(
  one: HeadEdits | undefined,
  other: HeadEdits | undefined,
): HeadEdits | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return {
    path: undefined,
    remove: [...one.remove, ...other.remove],
    add: [...one.add.filter(([name]) => !other.remove.includes(name)), ...other.add],
  }
}

function conclude(
  engine: Engine,
  facts: RequestFacts,
  edits: HeadEdits | undefined,
  agreed: ReadonlySet<string>,
): RequestJudgement {
  const verdict = engine.judgeRequest(facts, agreed)
  if (verdict.kind === 'allow') return { kind: 'forward', verdict, edits }
  const rule = verdict.by === undefined ? undefined : ruleId(verdict.by)
  return { kind: 'answer', verdict, answer: rbacDenied(rule) }
}

function factsOf(
  head: RequestHead,
  connection: ConnectionFacts,
  path: string,
  trustedHops: number,
): RequestFacts {
  const { sourceIp } = connection
  const remoteIp =
    trustedHops === 0
      ? connection.remoteIp
      : remoteIpOf(head.headerLines('x-forwarded-for'), trustedHops, sourceIp)
  return {
    peer: connection.peer,
    sourceIp,
    remoteIp,
    destinationIp: connection.destinationIp,
    destinationPort: connection.destinationPort,
    sni: connection.sni,
    method: head.method,
    path,
    host: head.authority,
    token: undefined,
    headerLines: (name) => head.headerLines(name),
  }
}

function tokenRequest(head: RequestHead, { peer }: ConnectionFacts, target: string): TokenRequest {
  return {
    ...{ method: head.method, host: head.authority, target },
    scheme: peer === undefined ? 'http' : 'https',
    headerLines: (name) => head.headerLines(name),
  }
}

/** What went through the tunnel would be judged by nobody; HBONE has a port and a judgement of its own. */
function noTunnel(): RequestJudgement {
  return {
    kind: 'answer',
    verdict: undefined,
    answer: textAnswer(405, '', 'connect_not_forwarded'),
  }
}

function badPath(why: string): RequestJudgement {
  const answer = textAnswer(400, '', `path_normalization_failed: ${why}`)
  return { kind: 'answer', verdict: undefined, answer }
}

function tokenRefused(refused: Extract<Authentication, { kind: 'refused' }>): RequestJudgement {
  const { status, body, wwwAuthenticate } = refused
  const details = `jwt_authn_access_denied{${body.replaceAll(' ', '_')}}`
  const { headers, ...rest } = textAnswer(status, body, details)
  const all: readonly HeaderLine[] = [...headers, ['www-authenticate', wwwAuthenticate]]
  return { kind: 'answer', verdict: undefined, answer: { ...rest, headers: all } }
}

const NO_EDITS: HeadEdits = { path: undefined, remove: [], add: [] }

function withPath(edits: HeadEdits | undefined, path: string | undefined): HeadEdits | undefined {
  return path === undefined ? edits : { ...(edits ?? NO_EDITS), path }
}

/** What the connection asks for, and what the request's tokens ask for beside it. */
function mergeEdits(
  connection: HeadEdits | undefined,
  token: RequestEdits,
  head: RequestHead,
  target: string,
): HeadEdits | undefined {
  const path = withoutParams(target, token.removeParams)
  const cookies = cookieEdits(head, token.removeCookies)
  const disguised = spelledOtherwise(head, token.removeHeaders)
  const remove = [
    ...(connection?.remove ?? []),
    ...[...token.removeHeaders, ...disguised, ...cookies.remove],
  ]
  const add = [...(connection?.add ?? []), ...token.setHeaders, ...cookies.add]
  if (path === head.path && remove.length === 0 && add.length === 0) return undefined
  return { path: path === head.path ? undefined : path, remove, add }
}

/** Applications that turn `_` into `-` would read the client's `x_user` as the `x-user` that only we may write. */
function spelledOtherwise(head: RequestHead, names: readonly string[]): readonly string[] {
  if (names.length === 0) return []
  const plain = (name: string) => name.replaceAll('_', '-')
  const taken = new Set(names.map(plain))
  const sent = head.lines().map(([name]) => name)
  return sent.filter((name) => taken.has(plain(name)) && !names.includes(name))
}

function cookieEdits(
  head: RequestHead,
  names: readonly string[],
): Pick<HeadEdits, 'remove' | 'add'> {
  if (names.length === 0) return NO_EDITS
  const kept = head.headerLines('cookie').flatMap((line): readonly HeaderLine[] => {
    const rest = withoutCookies(line, names)
    return rest === undefined ? [] : [['cookie', rest]]
  })
  return { remove: ['cookie'], add: kept }
}
