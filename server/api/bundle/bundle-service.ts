/** `spire.api.server.bundle.v1.Bundle`: the server's own bundle, and those of the trust domains it federates with. */
import type { BundleHandlers } from '../../../proto/gen/spire/api/server/bundle/v1/Bundle.ts'
import type { Implementation } from '../../../proto/serve.ts'
import { toWireBundle } from '../../../proto/wire.ts'
import { appendAuthorities } from '../../../spiffe/bundle/merge.ts'
import type { JwtAuthority } from '../../../spiffe/bundle.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import type { LocalBundle } from '../../bundle/local-bundle.ts'
import type { Caller } from '../../listen/caller.ts'
import type { RateLimits } from '../../listen/rate-limits.ts'
import type { HandedBundles } from '../../nodes/handed-bundles.ts'
import type { BundleStore } from '../../store/store.ts'
import { invalid, within, withinAsync } from '../refusal.ts'
import { type FederatedBundlesDeps, federatedBundles } from './federated-bundles.ts'
import { toMaskedBundle } from './masked-bundle.ts'
import { fromWireCertificates, fromWireKey } from './wire-authorities.ts'

export interface BundleServiceDeps extends FederatedBundlesDeps {
  readonly bundles: FederatedBundlesDeps['bundles'] & Pick<BundleStore, 'count'>
  readonly localBundle: Pick<LocalBundle, 'current' | 'update'>
  readonly limits: Pick<RateLimits, 'publishKey'>
  /** Remembers what callers were handed. */
  readonly handed: Pick<HandedBundles, 'note'>
  /** @returns what is known upstream; undefined when there is no upstream that keeps JWT keys */
  publishUpstream(key: JwtAuthority): Promise<readonly JwtAuthority[] | undefined>
}

export function bundleService(deps: BundleServiceDeps): Implementation<Caller, BundleHandlers> {
  const { bundles, localBundle, limits } = deps
  return {
    ...federatedBundles(deps),

    CountBundles: async () => ({ count: await bundles.count() }),

    async GetBundle({ output_mask: mask }, { caller }) {
      const bundle = localBundle.current()
      const isWhole = mask === null || (mask.x509_authorities && mask.jwt_authorities)
      if (caller.kind === 'peer' && isWhole) deps.handed.note(caller.svid, bundle)
      return toMaskedBundle(bundle, mask)
    },

    async AppendBundle({ x509_authorities, jwt_authorities, wit_authorities, output_mask }) {
      if (x509_authorities.length === 0 && jwt_authorities.length === 0) {
        throw invalid('no authorities to append')
      }
      if (wit_authorities.length > 0) {
        throw new IdentityError('NOT_IMPLEMENTED', 'WIT functionality is disabled')
      }
      const jwtAuthorities = within('failed to convert JWT authority', () =>
        jwt_authorities.map(fromWireKey),
      )
      const x509Authorities = within('failed to convert X.509 authority', () =>
        fromWireCertificates(x509_authorities),
      )
      const bundle = await localBundle.update((current) =>
        appendAuthorities(current, { x509Authorities, jwtAuthorities }),
      )
      return toMaskedBundle(bundle, output_mask)
    },

    /** For downstream servers, whose JWT-SVIDs everybody in the trust domain is to verify. */
    async PublishJWTAuthority({ jwt_authority }, call) {
      await withinAsync('rejecting request due to key publishing rate limiting', () =>
        limits.publishKey(call, 1),
      )
      if (jwt_authority === null) throw invalid('missing JWT authority')
      const authority = within('invalid JWT authority', () => fromWireKey(jwt_authority))
      const bundle = await withinAsync('failed to publish JWT key', async () => {
        const known = (await deps.publishUpstream(authority)) ?? []
        return await localBundle.update((current) =>
          appendAuthorities(current, { jwtAuthorities: [...known, authority] }),
        )
      })
      const { jwt_authorities = [] } = toWireBundle(bundle)
      return { jwt_authorities }
    },

    async PublishWITAuthority() {
      throw new IdentityError('NOT_IMPLEMENTED', 'WIT-SVID functionality is not yet implemented')
    },
  }
}
