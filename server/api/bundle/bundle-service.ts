/**
 * `spire.api.server.bundle.v1.Bundle` for the server's own trust domain. There are no federated bundles yet:
 * asking for one is answered as for one that was never set, because agents ask.
 */
import type { BundleHandlers } from '../../../proto/gen/spire/api/server/bundle/v1/Bundle.ts'
import type { BundleInput } from '../../../proto/gen/spire/api/types/Bundle.ts'
import type { BundleMask } from '../../../proto/gen/spire/api/types/BundleMask.ts'
import type { Implementation } from '../../../proto/serve.ts'
import { toWireBundle } from '../../../proto/wire.ts'
import { appendAuthorities } from '../../../spiffe/bundle/merge.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { TrustDomain } from '../../../spiffe/id.ts'
import type { LocalBundle } from '../../bundle/local-bundle.ts'
import { parseTrustDomainName } from '../../entries/member-id.ts'
import type { Caller } from '../../listen/caller.ts'
import type { BundleStore } from '../../store/store.ts'
import { invalid, notFound, within } from '../refusal.ts'
import { fromWireAuthorities } from './wire-authorities.ts'

export interface BundleServiceDeps {
  readonly trustDomain: TrustDomain
  readonly bundles: Pick<BundleStore, 'count' | 'find'>
  readonly localBundle: Pick<LocalBundle, 'current' | 'update'>
}

export function bundleService(deps: BundleServiceDeps): Implementation<Caller, BundleHandlers> {
  const { trustDomain, bundles, localBundle } = deps
  return {
    CountBundles: async () => ({ count: await bundles.count() }),

    async GetBundle({ output_mask }) {
      return masked(toWireBundle(localBundle.current()), output_mask)
    },

    async AppendBundle({ x509_authorities, jwt_authorities, wit_authorities, output_mask }) {
      if (wit_authorities.length > 0) {
        throw new IdentityError('NOT_IMPLEMENTED', 'WIT functionality is disabled')
      }
      if (x509_authorities.length === 0 && jwt_authorities.length === 0) {
        throw invalid('no authorities to append')
      }
      const added = fromWireAuthorities(x509_authorities, jwt_authorities)
      const bundle = await localBundle.update((current) => appendAuthorities(current, added))
      return masked(toWireBundle(bundle), output_mask)
    },

    async GetFederatedBundle({ trust_domain, output_mask }) {
      const wanted = within('trust domain argument is not valid', () =>
        parseTrustDomainName(trust_domain),
      )
      if (wanted === trustDomain) {
        throw invalid("getting a federated bundle for the server's own trust domain is not allowed")
      }
      const bundle = await bundles.find(wanted)
      if (bundle === undefined) throw notFound('bundle not found')
      return masked(toWireBundle(bundle), output_mask)
    },
  }
}

/** @param mask the fields to fill in; null for all. The trust domain is always there. */
function masked(bundle: BundleInput, mask: BundleMask | null): BundleInput {
  if (mask === null) return bundle
  const { trust_domain = '', x509_authorities, jwt_authorities } = bundle
  const { refresh_hint = 0, sequence_number = 0 } = bundle
  return {
    trust_domain,
    ...(mask.x509_authorities && x509_authorities ? { x509_authorities } : {}),
    ...(mask.jwt_authorities && jwt_authorities ? { jwt_authorities } : {}),
    ...(mask.refresh_hint ? { refresh_hint } : {}),
    ...(mask.sequence_number ? { sequence_number } : {}),
  }
}
