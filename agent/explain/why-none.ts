/** Why a workload that called got no identity, for the agent's log: briefly, and without selectors that it may not show. */
import { type Clock, unixSeconds } from '../../spiffe/clock.ts'
import type { WorkloadCache } from '../cache/workload-cache.ts'
import type { AgentSvid } from '../node/agent-svid.ts'
import type { SyncRecord } from '../sync/sync-record.ts'
import type { IsLoggable } from '../workload-api/loggable-selectors.ts'
import type { WhyNone } from '../workload-api/workload.ts'
import { conclude } from './conclude.ts'

export interface WhyNoneDeps {
  readonly cache: Pick<WorkloadCache, 'knowledge' | 'servable'>
  readonly membership: { svid(): AgentSvid }
  readonly sync: Pick<SyncRecord, 'read'>
  readonly isLoggable: IsLoggable
  readonly clock: Clock
}

/** A caller that comes again and again must not cost the agent more than this: beyond it the log is not told why. */
const MAX_LOOKED_AT = 10_000
const MAX_PER_SECOND = 10

export function whyNoneWith(deps: WhyNoneDeps): WhyNone {
  let second = Number.NaN
  let told = 0
  return ({ caller, selectors }) => {
    const now = unixSeconds(deps.clock.now())
    told = now === second ? told + 1 : 1
    second = now
    if (told > MAX_PER_SECOND) return {}
    const held = deps.cache
      .knowledge()
      .entries.values()
      .take(MAX_LOOKED_AT)
      .map((entry) => ({ ...entry, hasSvid: deps.cache.servable(entry) !== undefined }))
    const { brief } = conclude({
      pid: caller.pid,
      agentId: deps.membership.svid().id,
      now: deps.clock.now(),
      sync: deps.sync.read(),
      findings: [{ attestor: 'all', selectors: [...selectors], error: undefined }],
      held: [...held],
      server: undefined,
    })
    const shown = [...selectors].filter(deps.isLoggable).sort()
    return { why: brief, ...(shown.length === 0 ? {} : { selectors: shown.join(',') }) }
  }
}
