/**
 * `steeple.server.federation.v1.Federation`: how the fetching of other trust domains' bundles goes.
 *
 * @see proto/steeple/server/federation/v1/federation.proto
 */
import type { FederationHandlers } from '../../../proto/gen/steeple/server/federation/v1/Federation.ts'
import type { StandingInput } from '../../../proto/gen/steeple/server/federation/v1/Standing.ts'
import type { Implementation } from '../../../proto/serve.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import { unixSeconds } from '../../../spiffe/clock.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { parseCertificate } from '../../../spiffe/x509/certificate.ts'
import type { BundleRefresher } from '../../federation/refresh-bundles.ts'
import type { FederationRelationship } from '../../federation/relationship.ts'
import type { Caller } from '../../listen/caller.ts'
import type { BundleStore } from '../../store/store.ts'
import { notFound, within } from '../refusal.ts'

export interface FederationServiceDeps {
  readonly refresher: Pick<BundleRefresher, 'standingOf' | 'relationships'>
  readonly bundles: Pick<BundleStore, 'find'>
}

export function federationService({
  refresher,
  bundles,
}: FederationServiceDeps): Implementation<Caller, FederationHandlers> {
  return {
    async GetStanding({ trust_domain }) {
      const all = await refresher.relationships()
      if (trust_domain === '') {
        const standings = [...all.values()].map((one) => standing(one, refresher, bundles))
        return { standings: await Promise.all(standings) }
      }
      const wanted = within('trust domain argument is not valid', () =>
        parseTrustDomain(trust_domain),
      )
      const found = all.get(wanted)
      if (found === undefined) throw notFound('federation relationship does not exist')
      return { standings: [await standing(found, refresher, bundles)] }
    },
  }
}

async function standing(
  { trustDomain, endpointUrl, isConfigured }: FederationRelationship & { isConfigured: boolean },
  refresher: FederationServiceDeps['refresher'],
  bundles: FederationServiceDeps['bundles'],
): Promise<StandingInput> {
  const now = refresher.standingOf(trustDomain)
  const bundle = await bundles.find(trustDomain)
  return {
    trust_domain: trustDomain,
    bundle_endpoint_url: endpointUrl,
    configured: isConfigured,
    refreshed_at: secondsOr0(now?.refreshedAt),
    next_at: secondsOr0(now?.nextAt),
    failed_at: secondsOr0(now?.failure?.at),
    failure: now?.failure?.reason ?? '',
    failures_in_a_row: now?.failuresInARow ?? 0,
    has_bundle: bundle !== undefined,
    bundle_sequence_number: bundle?.sequenceNumber ?? 0,
    earliest_expiry: bundle === undefined ? 0 : earliestExpiryOf(bundle),
  }
}

/** @returns seconds since 1970; 0 when nothing in it ends */
function earliestExpiryOf({ x509Authorities, jwtAuthorities }: Bundle): number {
  const ends = [
    ...x509Authorities.map(({ der }) => parseCertificate(der).notAfter),
    ...jwtAuthorities.flatMap(({ expiresAt }) => expiresAt ?? []),
  ]
  return ends.length === 0 ? 0 : Math.min(...ends.map(unixSeconds))
}

function secondsOr0(date: Date | undefined): number {
  return date === undefined ? 0 : unixSeconds(date)
}
