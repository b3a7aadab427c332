/** `spire.api.server.debug.v1.Debug`, on the admin socket only: who the server is, for how long, and how much it keeps. */
import type { DebugHandlers } from '../../../proto/gen/spire/api/server/debug/v1/Debug.ts'
import type { _spire_api_server_debug_v1_GetInfoResponse_CertInput as CertInput } from '../../../proto/gen/spire/api/server/debug/v1/GetInfoResponse.ts'
import type { Implementation } from '../../../proto/serve.ts'
import { toWireId } from '../../../proto/wire.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import { type Clock, unixSeconds } from '../../../spiffe/clock.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import { parseCertificate } from '../../../spiffe/x509/certificate.ts'
import { authorityIdOf } from '../../../spiffe/x509/key-id.ts'
import { nameText } from '../../../spiffe/x509/name-text.ts'
import type { IssuedX509Svid } from '../../issue/x509-svid.ts'
import type { Caller } from '../../listen/caller.ts'
import type { BundleStore, EntryStore, NodeStore } from '../../store/store.ts'

export interface DebugServiceDeps {
  readonly serverSvid: { current(): IssuedX509Svid }
  readonly localBundle: { current(): Bundle }
  readonly nodes: Pick<NodeStore, 'count'>
  readonly entries: Pick<EntryStore, 'count'>
  readonly bundles: Pick<BundleStore, 'count'>
  readonly clock: Clock
  readonly startedAt: Date
}

export function debugService(deps: DebugServiceDeps): Implementation<Caller, DebugHandlers> {
  return {
    async GetInfo() {
      const { nodes, entries, bundles, clock, startedAt } = deps
      const [agents, registered, known] = await Promise.all([
        nodes.count({}),
        entries.count({}),
        bundles.count(),
      ])
      return {
        svid_chain: chainToRoot(deps).map(toWireCertificate),
        uptime: unixSeconds(clock.now()) - unixSeconds(startedAt),
        agents_count: agents,
        entries_count: registered,
        // The server's own is counted too: SPIRE's number, whatever its name says.
        federated_bundles_count: known,
      }
    },
  }
}

function chainToRoot({ serverSvid, localBundle }: DebugServiceDeps): readonly Uint8Array[] {
  const { chain, authorityId } = serverSvid.current()
  const roots = localBundle.current().x509Authorities.map(({ der }) => der)
  const root = roots.find((der) => authorityIdOf(der) === authorityId)
  return root === undefined ? chain : [...chain, root]
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
