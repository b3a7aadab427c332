/** How the HTTP of a listener is judged and where its requests go: to the workload by policy, or outwards unasked. */
import type { Duplex } from 'node:stream'
import type { Address } from '../config/address.ts'
import type { VerifyToken } from '../policy/authenticate-request.ts'
import { compileAuthorization } from '../policy/compile.ts'
import { decide } from '../policy/decide.ts'
import type { ConnectionFacts } from '../policy/facts.ts'
import type { Verdict } from '../policy/verdict.ts'
import type { OutboundConfig } from './config.ts'
import type { Engine } from './enforce/engine.ts'
import { createRequestJudge } from './enforce/judge-request.ts'
import { connectOutbound } from './forward/connect-outbound.ts'
import type { HbonePool } from './hbone/pool.ts'
import { callerCertificate } from './http/caller-certificate.ts'
import type { HeadEdits, JudgeOccasion, RequestHead } from './http/exchange.ts'
import { type ForwardedFacts, forwardedEdits, xfccElement } from './http/forwarded-headers.ts'
import { requestIds } from './http/request-ids.ts'
import type { HttpRoute } from './listen/http-session.ts'
import type { Incoming } from './listen/incoming.ts'
import { MESH_ALPN } from './listen/outbound.ts'
import { withoutPolicies } from './policy-source/no-policies.ts'
import type { ProxyContext } from './proxy.ts'
import type { Self } from './self.ts'

export interface RouteOptions {
  readonly context: ProxyContext
  readonly engine: Engine
  readonly self: Self
  readonly verify: VerifyToken
}

export interface InboundRoute {
  readonly upstream: Address
  readonly forwardClientCert: boolean
  connect(signal: AbortSignal): Promise<Duplex>
}

/** To the workload: each request is judged. */
export function inboundRoute(
  { context, engine, verify }: RouteOptions,
  { upstream, forwardClientCert, connect }: InboundRoute,
): HttpRoute {
  const judge = createRequestJudge(engine, verify)
  const newRequestId = requestIds(context.randomBytes)
  return {
    ...{ http1: connect, http2: connect, upstream },
    judgeOf({ peer, facts }: Incoming) {
      const element =
        peer === undefined || !forwardClientCert
          ? undefined
          : xfccElement(callerCertificate(peer, context.identity.current().defaultSvid.id))
      const known = { element, tls: peer !== undefined, newRequestId }
      return (head: RequestHead, occasion: JudgeOccasion) =>
        judge.judge(head, facts, editsOf(head, known), occasion)
    },
  }
}

/** Outwards: the other end has a policy of its own. */
export function outboundRoute(
  { context, self }: Pick<RouteOptions, 'context' | 'self'>,
  config: OutboundConfig,
  pool: HbonePool,
): HttpRoute {
  const permit = permitAll(self)
  const newRequestId = requestIds(context.randomBytes)
  const way = { context, config, pool, self: self.party }
  const connect = (alpn: readonly string[]) => (signal: AbortSignal) =>
    connectOutbound(way, { client: undefined, alpn }, signal)
  return {
    http1: connect(MESH_ALPN.http),
    http2: connect(MESH_ALPN.http2),
    upstream: config.upstream,
    judgeOf({ facts }: Incoming) {
      const verdict = permit(facts)
      const known = { element: undefined, tls: false, newRequestId }
      return (head: RequestHead) =>
        verdict.kind === 'allow'
          ? { kind: 'forward', verdict, edits: editsOf(head, known) }
          : unreachable(verdict)
    },
  }
}

/** Undefined when nothing changes, so that the head goes on as it came. */
function editsOf(head: RequestHead, known: ForwardedFacts): HeadEdits | undefined {
  const edits = forwardedEdits(head, known, undefined)
  return edits.remove.length === 0 && edits.add.length === 0 ? undefined : edits
}

/** No policy governs what leaves; the other end has its own. */
export function permitAll({ mesh, workload }: Self): (facts: ConnectionFacts) => Verdict {
  const none = compileAuthorization(withoutPolicies(mesh), workload, { kind: 'sidecar-tcp' })
  return (facts) => decide(none, facts)
}

function unreachable(verdict: Verdict): never {
  throw new Error(`nothing was asked, and the answer was ${verdict.kind}`)
}
