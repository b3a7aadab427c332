/**
 * `spire.api.agent.delegatedidentity.v1.DelegatedIdentity`, on the admin socket: identities of workloads for a delegate that acts for
 * them, such as a proxy or a network agent of the node. Whoever opens the socket is nobody yet: each caller is attested.
 *
 * @see SPIRE API — DelegatedIdentity
 */
import type { DelegatedIdentityHandlers } from '../../proto/gen/spire/api/agent/delegatedidentity/v1/DelegatedIdentity.ts'
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import type { Call, Implementation } from '../../proto/serve.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { Attest } from '../attest/attest.ts'
import { type BundlesById, isSameBundlesById, jwksOf, x509BundleOf } from '../cache/bundle-bytes.ts'
import type { WorkloadCache } from '../cache/workload-cache.ts'
import { bundlesById } from './bundles.ts'
import type { Delegates } from './delegate.ts'
import { followState } from './follow-state.ts'
import { checkAudience, type DelegatedJwtDeps, delegatedJwtSvids } from './jwt-svids.ts'
import { subjectOf } from './subject.ts'
import { type DelegatedSvids, delegatedSvids, isSameSvids, toWireSvids } from './x509-svids.ts'

export interface DelegatedIdentityDeps extends DelegatedJwtDeps {
  readonly cache: Pick<WorkloadCache, 'matching' | 'servable' | 'knowledge' | 'subscribe' | 'news'>
  readonly delegates: Delegates
  /** Of processes that delegates name. */
  readonly attest: Attest
  readonly clock: Clock
  /** Called when a stream of SVIDs is asked for; what it gives is called when it carries some for the first time. */
  readonly measureFirstSvids?: () => () => void
}

/**
 * Each message is of all identities. One of thousands costs tens of milliseconds, so changes are gathered after it for long enough
 * that a stream takes a tenth of a processor at most; up to nine identities are told each time, and a single change at once.
 */
const IDENTITIES_PER_PAUSE_MS = 10

type Open = Call<UnixCaller>

export function delegatedIdentityService(
  deps: DelegatedIdentityDeps,
): Implementation<UnixCaller, DelegatedIdentityHandlers> {
  const { cache, delegates, attest, clock } = deps
  const followBundles = async (
    { caller, signal }: Open,
    encode: (bundle: Bundle) => Buffer,
    send: (bundles: BundlesById) => Promise<void>,
  ): Promise<void> => {
    const delegate = await delegates.admit(caller, signal)
    const stream = {
      news: cache.news,
      requireAllowed: () => delegates.requireStill(delegate),
      look: () => bundlesById(cache, encode),
      isSame: isSameBundlesById,
      send,
    }
    await followState(stream, signal)
  }
  return {
    async SubscribeToX509SVIDs(request, { caller, signal }, send) {
      let onFirst = deps.measureFirstSvids?.()
      const delegate = await delegates.admit(caller, signal)
      const subject = await subjectOf(request, attest, signal)
      using _wanted = cache.subscribe(subject.selectors)
      const stream = {
        news: cache.news,
        requireAllowed() {
          delegates.requireStill(delegate)
          subject.requireThere()
        },
        look: (sent: DelegatedSvids | undefined) => delegatedSvids(cache, subject.selectors, sent),
        isSame: isSameSvids,
        pause: ({ identities }: DelegatedSvids, stop: AbortSignal) =>
          clock.sleep(Math.floor(identities.length / IDENTITIES_PER_PAUSE_MS), stop),
        async send(state: DelegatedSvids) {
          if (state.identities.length > 0) {
            onFirst?.()
            onFirst = undefined
          }
          await send(toWireSvids(state))
        },
      }
      await followState(stream, signal)
    },
    SubscribeToX509Bundles: (_, call, send) =>
      followBundles(call, x509BundleOf, (ca_certificates) => send({ ca_certificates })),
    SubscribeToJWTBundles: (_, call, send) =>
      followBundles(call, jwksOf, (bundles) => send({ bundles })),
    async FetchJWTSVIDs(request, { caller, signal }) {
      checkAudience(request.audience)
      const delegate = await delegates.admit(caller, signal)
      const subject = await subjectOf(request, attest, signal)
      const response = await delegatedJwtSvids(deps, subject, request.audience, signal)
      // Tokens may have taken a while to come.
      delegates.requireStill(delegate)
      subject.requireThere()
      return response
    },
  }
}
