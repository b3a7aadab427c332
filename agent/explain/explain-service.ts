/**
 * `steeple.agent.explain.v1.Explain`, on the admin socket only: what the agent knows of one process, for
 * `steeple why`. It tells facts; what follows from them is concluded by `conclude.ts`.
 */
import type { Candidate } from '../../proto/gen/steeple/agent/explain/v1/Candidate.ts'
import type { ExplainHandlers } from '../../proto/gen/steeple/agent/explain/v1/Explain.ts'
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import type { Implementation } from '../../proto/serve.ts'
import { toWireId, toWireSelector } from '../../proto/wire.ts'
import { unixSeconds } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { WorkloadAttestor } from '../attest/workload-attestor.ts'
import type { CachedEntry } from '../cache/entry.ts'
import type { WorkloadCache } from '../cache/workload-cache.ts'
import type { AgentSvid } from '../node/agent-svid.ts'
import type { SyncRecord } from '../sync/sync-record.ts'
import { closestEntries } from './closest-entries.ts'
import { inspectProcess } from './inspect-process.ts'

export interface ExplainServiceDeps {
  readonly attestors: readonly WorkloadAttestor[]
  readonly cache: Pick<WorkloadCache, 'knowledge' | 'servable'>
  readonly membership: { svid(): AgentSvid }
  readonly sync: Pick<SyncRecord, 'read'>
}

/** More of them than anybody reads. */
const MAX_CANDIDATES = 20

export function explainService(
  deps: ExplainServiceDeps,
): Implementation<UnixCaller, ExplainHandlers> {
  return {
    async ExplainProcess({ pid, entry_ids: wanted }, { signal }) {
      if (pid <= 0) throw new IdentityError('REQUEST_INVALID', `pid is ${pid}, expected above 0`)
      const findings = await inspectProcess(deps.attestors, pid, signal)
      const { entries } = deps.cache.knowledge()
      const present = new Set(findings.flatMap(({ selectors }) => selectors))
      const closest = closestEntries(entries.values(), present, MAX_CANDIDATES)
      const shown = new Set(closest.map(({ entry }) => entry))
      for (const id of wanted) {
        const entry = entries.get(id)
        if (entry !== undefined) shown.add(entry)
      }
      const { lastSuccessAt, failure = '' } = deps.sync.read()
      return {
        agent_id: toWireId(deps.membership.svid().id),
        last_sync_success: lastSuccessAt === undefined ? 0 : unixSeconds(lastSuccessAt),
        sync_failure: failure,
        entries_count: entries.size,
        findings: findings.map(({ attestor, selectors, error = '' }) => ({
          ...{ attestor, error },
          selectors: selectors.map(toWireSelector),
        })),
        candidates: [...shown].map((entry) => toCandidate(entry, deps.cache)),
      }
    },
  }
}

function toCandidate(
  entry: CachedEntry,
  cache: Pick<WorkloadCache, 'servable'>,
): Omit<Candidate, 'spiffe_id'> & { readonly spiffe_id: ReturnType<typeof toWireId> } {
  return {
    entry_id: entry.entryId,
    spiffe_id: toWireId(entry.id),
    selectors: entry.selectors.map(toWireSelector),
    store_svid: entry.storeSvid,
    has_svid: cache.servable(entry) !== undefined,
    hint: entry.hint,
    created_at: entry.createdAt,
  }
}
