/**
 * `steeple.server.mesh.v1.Mesh`: how issuance to service meshes goes.
 *
 * @see proto/steeple/server/mesh/v1/mesh.proto
 */
import type { IstioCaInput } from '../../../proto/gen/steeple/server/mesh/v1/IstioCa.ts'
import type { LinkerdInput } from '../../../proto/gen/steeple/server/mesh/v1/Linkerd.ts'
import type { MeshHandlers } from '../../../proto/gen/steeple/server/mesh/v1/Mesh.ts'
import type { TallyInput } from '../../../proto/gen/steeple/server/mesh/v1/Tally.ts'
import type { Implementation } from '../../../proto/serve.ts'
import { unixSeconds } from '../../../spiffe/clock.ts'
import type { Caller } from '../../listen/caller.ts'
import type { IstioCaStatus } from '../../mesh/istio-ca/open-istio-ca.ts'
import type { LinkerdStatus } from '../../mesh/linkerd/open-linkerd.ts'
import type { MeshStatus } from '../../mesh/open-mesh.ts'
import type { TallyReading } from '../../mesh/tally.ts'

export interface MeshServiceDeps {
  meshStatus(): MeshStatus
}

export function meshService({ meshStatus }: MeshServiceDeps): Implementation<Caller, MeshHandlers> {
  return {
    async GetStatus() {
      const { istioCa, linkerd } = meshStatus()
      return {
        istio_ca: istioCa === undefined ? null : toWireIstioCa(istioCa),
        linkerd: linkerd === undefined ? null : toWireLinkerd(linkerd),
      }
    },
  }
}

function toWireIstioCa(status: IstioCaStatus): IstioCaInput {
  return {
    address: status.address,
    dns_names: [...status.dnsNames],
    clusters: status.clusters.map(({ name, server, pods }) => ({
      ...{ name, server, ready: pods.isComplete, pods: pods.size },
      problem: pods.problem() ?? '',
    })),
    local_cluster: status.localCluster ?? '',
    token_audiences: [...status.tokenAudiences],
    trusted_node_accounts: [...status.trustedNodeAccounts],
    registration: status.registration,
    max_ttl: status.maxTtlSeconds,
    tally: toWireTally(status.tally),
  }
}

function toWireLinkerd({ address, name, issuerExpiresAt, tally }: LinkerdStatus): LinkerdInput {
  return {
    ...{ address, name, issuer_expires_at: unixSeconds(issuerExpiresAt) },
    tally: toWireTally(tally),
  }
}

function toWireTally(tally: TallyReading): TallyInput {
  const { issued, refused, lastIssued, lastRefusals, refusedByCheck } = tally
  return {
    ...{ issued, refused, refused_by_check: Object.fromEntries(refusedByCheck) },
    last_issued: lastIssued.map(({ at, identity = '', account = '', address, expiresAt }) => ({
      ...{ at: unixSeconds(at), identity, account, address },
      expires_at: expiresAt === undefined ? 0 : unixSeconds(expiresAt),
    })),
    last_refusals: lastRefusals.map((one) => ({
      ...{ at: unixSeconds(one.at), check: one.check, reason: one.reason, address: one.address },
      ...{ identity: one.identity ?? '', account: one.account ?? '', cluster: one.cluster ?? '' },
    })),
  }
}
