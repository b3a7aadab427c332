/**
 * Node attestation: from proof of what the node is to an agent SVID. The bundle is asked for first, on the same
 * connection, because the proof may be good for one attempt only.
 *
 * @see SPIRE behaviour §2 — flow on the wire
 */
import type { KeyObject } from 'node:crypto'
import type { AttestAgentRequestInput } from '../../proto/gen/spire/api/server/agent/v1/AttestAgentRequest.ts'
import type { AttestAgentResponse } from '../../proto/gen/spire/api/server/agent/v1/AttestAgentResponse.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import { createCsr } from '../../spiffe/x509/csr.ts'
import { verifyX509Svid } from '../../spiffe/x509/verify.ts'
import { type AgentSvid, agentSvid } from './agent-svid.ts'
import { type CallLimits, readStream, withDeadline } from './call.ts'
import type { NodeAttestor } from './node-attestor.ts'
import { fetchOwnBundle } from './own-bundle.ts'
import type { Lease } from './server-connection.ts'

export interface Attested {
  readonly svid: AgentSvid
  readonly bundle: Bundle
  /** From the server just now, not from an earlier run. */
  readonly isNew: boolean
}

export interface AttestOptions {
  readonly lease: Lease
  readonly attestor: NodeAttestor
  readonly key: KeyObject
  readonly trustDomain: TrustDomain
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** No attestor of SPIRE's has more than two. */
const MAX_CHALLENGES = 10

/** @throws IdentityError of the server's refusal, of the attestor's, or of an answer that proves nothing */
export async function attestNode(options: AttestOptions): Promise<Attested> {
  const { lease, attestor, key, trustDomain, clock } = options
  const payload = await attestor.payload()
  const bundle = await fetchOwnBundle(lease, trustDomain, options)
  const result = await exchange(lease, attestor, payload, createCsr({ key }), options)
  const chain = result.svid?.cert_chain ?? []
  const svid = agentSvid({ chain, key, reattestable: result.reattestable, trustDomain })
  verifyX509Svid({ chain, bundle, now: clock.now() })
  return { svid, bundle, isNew: true }
}

type Result = NonNullable<AttestAgentResponse['result']>

async function exchange(
  { agent }: Lease,
  attestor: NodeAttestor,
  payload: Uint8Array,
  csr: Uint8Array,
  limits: CallLimits,
): Promise<Result> {
  return await withDeadline(limits, async (onCall) => {
    const call = agent.AttestAgent()
    onCall(call)
    const send = (request: AttestAgentRequestInput) => call.write(request)
    send({ params: { data: { type: attestor.type, payload }, params: { csr } } })
    let challenges = 0
    for await (const { result, challenge } of readStream<AttestAgentResponse>(call)) {
      if (result) {
        call.end()
        return result
      }
      challenges += 1
      if (challenges > MAX_CHALLENGES) {
        throw new IdentityError(
          'INTERNAL',
          `the server challenged more than ${MAX_CHALLENGES} times`,
        )
      }
      send({ challenge_response: await attestor.answer(challenge ?? Buffer.alloc(0)) })
    }
    throw new IdentityError('UNAVAILABLE', 'the server ended the attestation without a result')
  })
}
