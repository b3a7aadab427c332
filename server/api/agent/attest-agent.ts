/**
 * AttestAgent: the agent says what it is, the attestor of its type makes it prove that, and it gets its first SVID.
 * A banned agent gets none, however well it attests.
 *
 * @see SPIRE behaviour §2 — node attestation, server order
 */
import type { Log } from '../../../log/open-log.ts'
import type {
  AttestAgentRequest,
  _spire_api_server_agent_v1_AttestAgentRequest_Params as Params,
} from '../../../proto/gen/spire/api/server/agent/v1/AttestAgentRequest.ts'
import type { AttestAgentResponseInput } from '../../../proto/gen/spire/api/server/agent/v1/AttestAgentResponse.ts'
import type { Call } from '../../../proto/serve.ts'
import type { Clock } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { isAgentId, type TrustDomain, trustDomainOf } from '../../../spiffe/id.ts'
import { selector, sortSelectors } from '../../../spiffe/selector.ts'
import type { AttestedAs, Challenge } from '../../attest/node-attestor.ts'
import type { Attestors } from '../../attest/reload-attestors.ts'
import { noteForAudit } from '../../audit/audit-log.ts'
import type { Issuer } from '../../issue/issuer.ts'
import { type Caller, describeCaller } from '../../listen/caller.ts'
import type { Limit } from '../../listen/rate-limits.ts'
import { isBanned } from '../../nodes/node.ts'
import type { NodeStore } from '../../store/store.ts'
import { inContext, invalid, within, withinAsync } from '../refusal.ts'
import { signAgentSvid } from './sign-agent-svid.ts'

export interface AttestAgentDeps {
  readonly trustDomain: TrustDomain
  readonly attestors: Attestors
  readonly nodes: Pick<NodeStore, 'attest' | 'find'>
  readonly issuer: Pick<Issuer, 'issueAgentX509Svid'>
  readonly limit: Limit
  /** `agent_spiffe_id_as_selector`: entries may name a single agent as their node alias. */
  readonly hasAgentIdSelector: boolean
  readonly clock: Clock
  readonly log: Log
}

interface ReadParams {
  readonly type: string
  readonly payload: Uint8Array
  readonly csr: Uint8Array
}

/** Longer than any agent waits; anonymous callers shall not hold streams for ever. */
const MAX_ATTESTATION_MS = 60_000
/** Of what an anonymous caller may have chosen. */
const MAX_NOTED_LENGTH = 64

export async function attestAgent(
  requests: AsyncIterable<AttestAgentRequest>,
  call: Call<Caller>,
  send: (message: AttestAgentResponseInput) => Promise<void>,
  deps: AttestAgentDeps,
): Promise<void> {
  await withinAsync('rejecting request due to attest agent rate limiting', () =>
    deps.limit(call, 1),
  )
  const ended = new AbortController()
  try {
    const attestation = attest(requests, call, send, deps)
    await Promise.race([attestation, failLater(deps.clock, ended.signal)])
  } finally {
    ended.abort()
  }
}

async function failLater(clock: Clock, ended: AbortSignal): Promise<void> {
  await clock.sleep(MAX_ATTESTATION_MS, ended)
  if (ended.aborted) return
  throw new IdentityError(
    'DEADLINE_EXCEEDED',
    `attestation was not finished within ${MAX_ATTESTATION_MS / 1000} s`,
  )
}

async function attest(
  requests: AsyncIterable<AttestAgentRequest>,
  call: Call<Caller>,
  send: (message: AttestAgentResponseInput) => Promise<void>,
  deps: AttestAgentDeps,
): Promise<void> {
  const incoming = requests[Symbol.asyncIterator]()
  const first = await incoming.next()
  if (first.done) throw invalid('failed to receive request from stream: EOF')
  const params = within('malformed param', () => readParams(first.value.params ?? null))

  noteForAudit(call, { node_attestor_type: params.type.slice(0, MAX_NOTED_LENGTH) })
  const attestor = deps.attestors.get(params.type)
  if (attestor === undefined) {
    throw new IdentityError(
      'PRECONDITION_FAILED',
      `error getting node attestor: could not find node attestor type ${JSON.stringify(params.type)}`,
    )
  }
  const challenge: Challenge = async (question) => {
    await send({ challenge: Buffer.from(question) })
    const answer = await incoming.next()
    if (answer.done) throw new IdentityError('CANCELED', 'failed to receive challenge from agent')
    return answer.value.challenge_response ?? new Uint8Array()
  }
  const { caller } = call
  const clientIp = caller.kind === 'unix' ? undefined : caller.ip
  const attested = await attestor.attest(params.payload, challenge, clientIp)
  noteForAudit(call, { agent_id: attested.id })
  const svid = await admitNode(attested, params, deps)
  deps.log.info(
    { ...describeCaller(call.caller), agent_id: attested.id, node_attestor_type: params.type },
    'Agent attestation request completed',
  )
  await send({ result: { svid: svid.wire, reattestable: attested.canReattest } })
}

/** In this order: the SVID is only worth something once its serial is stored. */
async function admitNode(attested: AttestedAs, params: ReadParams, deps: AttestAgentDeps) {
  const { id, canReattest } = attested
  const own = deps.hasAgentIdSelector ? [selector('spiffe_id', id)] : []
  const selectors = [...attested.selectors, ...own]
  // Fails closed: an attestor that names anything else would hand out the server's or a workload's ID.
  if (trustDomainOf(id) !== deps.trustDomain || !isAgentId(id)) {
    throw new Error(`attestor ${params.type} gave ${id}, which is not an agent ID of ours`)
  }
  const node = await deps.nodes.find(id)
  if (node !== undefined && isBanned(node)) throw banned()
  const svid = await signAgentSvid(id, params.csr, deps.issuer)
  const { serialNumber, expiresAt } = svid
  const { kind } = await deps.nodes.attest({
    id,
    attestationType: params.type,
    serialNumber,
    expiresAt,
    canReattest,
    // Sorted, as SPIRE keeps and lists them.
    selectors: sortSelectors([...new Set(selectors)]),
  })
  if (kind !== 'stored') throw banned()
  return svid
}

function readParams(params: Params | null): ReadParams {
  if (params === null) throw invalid('missing params')
  const { data, params: svidParams } = params
  if (data === null) throw invalid('missing attestation data')
  if (svidParams === null) throw invalid('missing X509-SVID parameters')
  if (svidParams.csr.length === 0) throw invalid('missing CSR')
  if (data.type === '') throw invalid('missing attestation data type')
  if (data.payload.length === 0) throw invalid('missing attestation data payload')
  return { type: data.type, payload: data.payload, csr: svidParams.csr }
}

/** Without the details that other refusals of agents carry, as SPIRE's. */
function banned(): unknown {
  return inContext('failed to attest', new IdentityError('NOT_AUTHORIZED', 'agent is banned'))
}
