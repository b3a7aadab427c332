/**
 * The gate before every handler of the server: asks `authorize`, checks an agent against its node, and lets a
 * renewed agent SVID become the one in use the first time it is seen.
 *
 * @see SPIRE API §2 and §3 — refusals and their reasons
 */
import type { Call } from '../../proto/serve.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import { judgeAgent, type PresentedSvid } from '../nodes/judge-agent.ts'
import type { AttestedNode, RenewedFrom } from '../nodes/node.ts'
import { authorize, type Standing } from './authorize.ts'
import type { Caller } from './caller.ts'

export interface AdmitDeps {
  readonly standing: Standing
  readonly nodes: {
    /** May answer from memory, but never with a row that this process has since changed. */
    find(id: SpiffeId, suits: (node: AttestedNode) => boolean): Promise<AttestedNode | undefined>
    promote(id: SpiffeId, newSerialNumber: string): Promise<{ readonly kind: string }>
    renew(
      from: RenewedFrom,
      serialNumber: string,
      expiresAt: Date,
    ): Promise<{ readonly kind: string }>
  }
  readonly clock: Clock
}

/** @throws IdentityError NOT_AUTHORIZED, one of AGENT_*, CERTIFICATE_UNTRUSTED, or CALLER_UNIDENTIFIED; returns only for callers let in */
export async function admitCall(call: Call<Caller>, deps: AdmitDeps): Promise<void> {
  const { caller, method } = call
  if (caller.kind === 'unnamed') throw caller.refusal
  const verdict = authorize(method, caller, deps.standing)
  switch (verdict.kind) {
    case 'allow':
      if (verdict.as !== 'nobody') await refuseIfOutlived(caller)
      return
    case 'ask-agent':
      await admitAgent(verdict.svid, method, deps)
      return await refuseIfOutlived(caller)
    case 'deny':
      throw new IdentityError('NOT_AUTHORIZED', denied(method))
    default:
      verdict satisfies never
  }
}

/** A connection may live on when its SVID has expired or its authority was revoked; the rights it had then do not. */
async function refuseIfOutlived(caller: Caller): Promise<void> {
  if (caller.kind === 'peer') await caller.verifyAgain()
}

async function admitAgent(svid: PresentedSvid, method: string, deps: AdmitDeps): Promise<void> {
  const judge = (node: AttestedNode | undefined) => judgeAgent(svid, node, deps.clock.now())
  // Another server may have given this agent its SVID a moment ago: a refusal is never from memory.
  // Nor is one SVID adopted by it: another server may have adopted another one.
  const suits = (known: AttestedNode) => !['refused', 'adopt'].includes(judge(known).kind)
  const node = await deps.nodes.find(svid.id, suits)
  const judgement = judge(node)
  switch (judgement.kind) {
    case 'active':
      return
    case 'adopt':
      // Of two that are presented at once the first one is noted; the other one is then not the one to be promoted.
      await deps.nodes.renew(judgement.from, svid.serialNumber, svid.expiresAt)
      return await promoteAgent(svid, method, deps)
    case 'promote':
      return await promoteAgent(svid, method, deps)
    case 'refused':
      // The reason travels in the status details; the message is the same for all, as SPIRE's.
      throw new IdentityError(judgement.code, denied(method), {
        cause: new Error(judgement.message),
      })
    default:
      judgement satisfies never
  }
}

async function promoteAgent(svid: PresentedSvid, method: string, deps: AdmitDeps): Promise<void> {
  const { kind } = await deps.nodes.promote(svid.id, svid.serialNumber)
  if (kind === 'stored') return
  // Two calls with the new SVID at once: the other one promoted it. Anything else is a refusal.
  const isActive = (node: AttestedNode | undefined) =>
    judgeAgent(svid, node, deps.clock.now()).kind === 'active'
  const again = await deps.nodes.find(svid.id, isActive)
  if (isActive(again)) return
  throw new IdentityError('AGENT_NOT_ACTIVE', denied(method))
}

function denied(method: string): string {
  return `authorization denied for method ${method}`
}
