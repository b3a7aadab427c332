/** An explanation for programs. Members stay; new ones may come. Times are Unix seconds, 0 for never. */
import { unixSeconds } from '../../spiffe/clock.ts'
import type { Json } from '../output/go-json.ts'
import type { Explanation, ShownEntry } from './explanation.ts'

export function explanationJson(told: Explanation): Json {
  const { agent, conclusion } = told
  return {
    pid: agent.pid,
    agent: {
      spiffe_id: agent.agentId,
      last_sync_success: secondsOf(agent.sync.lastSuccessAt),
      sync_failure: agent.sync.failure ?? '',
      entries_count: agent.entriesCount,
    },
    findings: agent.findings.map(({ attestor, selectors, error = '' }) => ({
      ...{ attestor, selectors, error },
    })),
    entries: told.entries.map(entryJson),
    conclusion: {
      kind: conclusion.kind,
      sentence: conclusion.sentence,
      command: told.command ?? '',
      notes: told.notes,
    },
  }
}

function entryJson(entry: ShownEntry): Json {
  const { parent } = entry
  return {
    entry_id: entry.entryId,
    spiffe_id: entry.id,
    missing: entry.missing,
    present: entry.present,
    held_by_agent: entry.isHeld,
    has_svid: entry.hasSvid,
    store_svid: entry.storeSvid,
    expires_at: secondsOf(entry.expiresAt),
    expired: entry.isExpired,
    ...(parent === undefined ? {} : { parent_id: parent.id, parent_is_of_agent: parent.isOfAgent }),
  }
}

function secondsOf(date: Date | undefined): number {
  return date === undefined ? 0 : unixSeconds(date)
}
