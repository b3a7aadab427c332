/** `spire.agent.debug.v1.Debug`, on the admin socket only: who the agent is, for how long, and how much it keeps. */
import type { DebugHandlers } from '../../proto/gen/spire/agent/debug/v1/Debug.ts'
import type { _spire_agent_debug_v1_GetInfoResponse_CertInput as CertInput } from '../../proto/gen/spire/agent/debug/v1/GetInfoResponse.ts'
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import type { Implementation } from '../../proto/serve.ts'
import { toWireId } from '../../proto/wire.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import { type Clock, unixSeconds } from '../../spiffe/clock.ts'
import { parseSpiffeId } from '../../spiffe/id.ts'
import { parseCertificate } from '../../spiffe/x509/certificate.ts'
import { authorityIdOf } from '../../spiffe/x509/key-id.ts'
import { nameText } from '../../spiffe/x509/name-text.ts'
import type { WorkloadCache } from '../cache/workload-cache.ts'
import type { AgentSvid } from '../node/agent-svid.ts'
import type { SyncRecord } from '../sync/sync-record.ts'

export interface DebugServiceDeps {
  readonly membership: { svid(): AgentSvid }
  readonly cache: Pick<WorkloadCache, 'knowledge' | 'svids'>
  /** How many JWT-SVIDs are cached. */
  countJwtSvids(): number
  readonly sync: Pick<SyncRecord, 'read'>
  readonly clock: Clock
  readonly startedAt: Date
}

export function debugService(deps: DebugServiceDeps): Implementation<UnixCaller, DebugHandlers> {
  return {
    async GetInfo() {
      const { membership, cache, sync, clock, startedAt } = deps
      const x509Svids = cache.svids().size
      const { lastSuccessAt } = sync.read()
      return {
        svid_chain: chainToRoot(membership.svid(), cache.knowledge().bundle).map(toWireCertificate),
        uptime: unixSeconds(clock.now()) - unixSeconds(startedAt),
        svids_count: x509Svids,
        last_sync_success: lastSuccessAt === undefined ? 0 : unixSeconds(lastSuccessAt),
        cached_x509_svids_count: x509Svids,
        cached_jwt_svids_count: deps.countJwtSvids(),
        cached_svidstore_x509_svids_count: 0, // there is no SVIDStore plugin
      }
    },
  }
}

/** The root is left out when the bundle no longer has it. */
function chainToRoot({ chain, authorityKeyIds }: AgentSvid, bundle: Bundle): readonly Uint8Array[] {
  const top = authorityKeyIds.at(-1)
  const root = bundle.x509Authorities.find(({ der }) => authorityIdOf(der) === top)
  return root === undefined ? chain : [...chain, root.der]
}

function toWireCertificate(der: Uint8Array): CertInput {
  const { uriSans, notAfter, subject } = parseCertificate(der)
  const [uri] = uriSans
  return {
    ...(uri === undefined ? {} : { id: toWireId(parseSpiffeId(uri)) }),
    expires_at: unixSeconds(notAfter),
    subject: nameText(subject),
  }
}
