/** What the agent knows of a process, in our vocabulary. */
import type { Facts, HeldEntry } from '../../agent/explain/facts.ts'
import type { Candidate } from '../../proto/gen/steeple/agent/explain/v1/Candidate.ts'
import type { ExplainProcessResponse } from '../../proto/gen/steeple/agent/explain/v1/ExplainProcessResponse.ts'
import { explainApi } from '../../proto/load.ts'
import { fromWireId, fromWireSelector } from '../../proto/wire.ts'
import { type Clock, fromUnixSeconds } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { Endpoint } from '../rpc/endpoint.ts'

export interface AgentFacts extends Omit<Facts, 'server'> {
  /** All that the agent has, not only those that are told of. */
  readonly entriesCount: number
}

/**
 * @param entryIds entries to be told of in any case
 * @throws IdentityError also when the agent is no Steeple
 */
export async function askAgent(
  agent: Endpoint,
  question: { readonly pid: number; readonly entryIds: readonly string[] },
  clock: Clock,
): Promise<AgentFacts> {
  const { pid } = question
  const client = agent.client(explainApi())
  const request = { pid, entry_ids: [...question.entryIds] }
  const answer = await sayingWhatLacks(
    agent.call<ExplainProcessResponse>((options, done) =>
      client.ExplainProcess(request, options, done),
    ),
  )
  const synced = answer.last_sync_success
  return {
    pid,
    agentId: fromWireId(answer.agent_id),
    now: clock.now(),
    sync: {
      lastSuccessAt: synced === 0 ? undefined : fromUnixSeconds(synced),
      failure: answer.sync_failure === '' ? undefined : answer.sync_failure,
    },
    findings: answer.findings.map(({ attestor, selectors, error }) => ({
      attestor,
      selectors: selectors.map(fromWireSelector),
      error: error === '' ? undefined : error,
    })),
    held: answer.candidates.map(toHeld),
    entriesCount: answer.entries_count,
  }
}

function toHeld({ entry_id, spiffe_id, selectors, store_svid, has_svid }: Candidate): HeldEntry {
  return {
    entryId: entry_id,
    id: fromWireId(spiffe_id),
    selectors: selectors.map(fromWireSelector),
    storeSvid: store_svid,
    hasSvid: has_svid,
  }
}

async function sayingWhatLacks<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (error) {
    if (!(error instanceof IdentityError) || error.code !== 'NOT_IMPLEMENTED') throw error
    const why = 'the agent at this socket explains nothing: only an agent of Steeple does'
    throw new IdentityError('NOT_IMPLEMENTED', why, { cause: error })
  }
}
