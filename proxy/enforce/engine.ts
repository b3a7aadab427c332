/**
 * Holds the newest policy, compiled for our workload, and swaps it as a whole: what is asked while a newer one is compiled is
 * answered by the one before. A snapshot that cannot be compiled changes nothing.
 */
import type { Log } from '../../log/open-log.ts'
import {
  type ConnectionAuthorization,
  compileAuthorization,
  type RequestAuthorization,
} from '../../policy/compile.ts'
import {
  decide,
  decideAfterProviders,
  type ProviderQuestion,
  providersToAsk,
} from '../../policy/decide.ts'
import type { ConnectionFacts, RequestFacts } from '../../policy/facts.ts'
import {
  composePeerAuthentication,
  type MtlsMode,
  type MtlsRequirement,
  portMode,
} from '../../policy/mtls.ts'
import type { PolicySnapshot, Workload } from '../../policy/snapshot.ts'
import type { Verdict } from '../../policy/verdict.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import { connectionJudge } from '../ext-authz/connection-judge.ts'
import type { CheckedRequest } from '../ext-authz/provider.ts'
import type { Consent, ExtAuthzProviders } from '../ext-authz/providers.ts'
import type { GateMode } from '../listen/gate.ts'
import { withoutPolicies } from '../policy-source/no-policies.ts'
import type { PolicySource } from '../policy-source/policy-source.ts'
import { connectionBound } from './connection-bound.ts'
import type { Enforcement } from './enforcement.ts'
import type { KillSwitch } from './kill-switch.ts'

/** One policy in force. */
export interface InForce {
  readonly snapshot: PolicySnapshot
  /** As the snapshot's source knew it then. */
  readonly workload: Workload
  readonly mtls: MtlsRequirement
  readonly tcp: ConnectionAuthorization
  /** What binds every connection, whatever it carries. */
  readonly bound: () => ConnectionAuthorization
  readonly http: RequestAuthorization
  /** The emergency switch is on: what is here is not what the source says. */
  readonly isKilled: boolean
}

export interface Engine extends Enforcement, Disposable {
  inForce(): InForce
  /** @param agreed names of the external providers that have agreed to this very request */
  judgeRequest(facts: RequestFacts, agreed?: ReadonlySet<string>): Verdict
  /** Whom to ask about a request before it is judged; nobody, for most. */
  providersOf(facts: RequestFacts): readonly ProviderQuestion[]
  /** Asks them. Never rejects. @param known those that have agreed to this very request already */
  askProviders(
    questions: readonly ProviderQuestion[],
    facts: ConnectionFacts,
    request: CheckedRequest,
    known: ReadonlySet<string>,
  ): Promise<Consent>
}

export interface EngineOptions {
  readonly source: PolicySource
  readonly killSwitch: KillSwitch
  readonly workload: Workload
  readonly providers: ExtAuthzProviders
  /** Our own identity, as it is now. */
  readonly self: () => SpiffeId
  readonly log: Log
}

export function createEngine(options: EngineOptions): Engine {
  const { source, killSwitch, workload, providers, self, log } = options
  const listeners = new Set<() => void>()
  const compileNow = () =>
    compile(
      source.current(),
      source.workloadNow?.(workload) ?? workload,
      killSwitch.state() !== undefined,
    )
  let inForce = compileNow()
  const refresh = () => {
    try {
      const next = compileNow()
      logModes(inForce, next, log)
      inForce = next
    } catch (err) {
      log.error({ err }, 'The new policy cannot be used; the one before stays in force')
      return
    }
    for (const listener of listeners) listener()
  }
  const onConnections = {
    providersOf: (facts: ConnectionFacts) => providersToAsk(inForce.tcp, facts),
    judge: (facts: ConnectionFacts, agreed: ReadonlySet<string>) =>
      decideAfterProviders(inForce.tcp, facts, agreed),
  }
  const subscriptions = [source.onChange(refresh), killSwitch.onChange(refresh)]
  return {
    inForce: () => inForce,
    modeOf: (port) => gateMode(inForce, portMode(inForce.mtls, port)),
    modeSources: () => inForce.mtls.sources,
    strictMode: () => gateMode(inForce, 'STRICT'),
    judgeConnection: (facts) => decide(inForce.tcp, facts),
    judgeWhateverComes: (facts) => decide(inForce.bound(), facts),
    connectionJudge: (facts) => connectionJudge(onConnections, providers, self(), facts),
    judgeRequest: (facts, agreed = NOBODY) => decideAfterProviders(inForce.http, facts, agreed),
    providersOf: (facts) =>
      inForce.http.custom.length === 0 ? NO_QUESTIONS : providersToAsk(inForce.http, facts),
    askProviders: (questions, facts, request, known) =>
      providers.ask(questions, { facts, request, self: self() }, known),
    onChange(listener) {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
    [Symbol.dispose]() {
      for (const subscription of subscriptions) subscription[Symbol.dispose]()
    },
  }
}

const NOBODY: ReadonlySet<string> = new Set()
const NO_QUESTIONS: readonly ProviderQuestion[] = []

function compile(given: PolicySnapshot, workload: Workload, isKilled: boolean): InForce {
  // Tokens stay checked: the switch is about who may connect, not about headers that the application believes.
  const { requestAuthentications } = given
  const snapshot = isKilled ? { ...withoutPolicies(given.mesh), requestAuthentications } : given
  const { rootNamespace } = snapshot.mesh
  let bound: ConnectionAuthorization | undefined
  return {
    ...{ snapshot, workload },
    // As the source has it: the emergency switch changes what a mode means, in `gateMode`.
    mtls: composePeerAuthentication(rootNamespace, given.peerAuthentications, workload),
    tcp: compileAuthorization(snapshot, workload, { kind: 'sidecar-tcp' }),
    // Only tunnels ask for it, and rules may be many.
    bound: () =>
      (bound ??= compileAuthorization(connectionBound(snapshot), workload, {
        kind: 'sidecar-tcp',
      })),
    http: compileAuthorization(snapshot, workload, { kind: 'sidecar-http' }),
    isKilled,
  }
}

function gateMode({ isKilled }: InForce, mode: MtlsMode): GateMode {
  return isKilled && mode === 'STRICT' ? 'EMERGENCY' : mode
}

function logModes(before: InForce, after: InForce, log: Log): void {
  const show = ({ mtls }: InForce) =>
    [`all ${mtls.mode}`, ...[...mtls.perPort].map(([port, mode]) => `${port} ${mode}`)].join(', ')
  if (show(before) !== show(after)) {
    log.info({ before: show(before), after: show(after) }, 'PeerAuthentication changed')
  }
}
