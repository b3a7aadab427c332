/**
 * `spiffe.broker.API`: identities of workloads for a broker that names each of them by a reference. In this order: is it a broker,
 * may it use such a reference, is there such a workload, and what is that entitled to. All of it but the second is asked again
 * before each message and while a stream is silent.
 *
 * @see SPIRE API §8; Broker-API
 */
import type { APIHandlers } from '../../proto/gen/spiffe/broker/API.ts'
import type { WorkloadReference } from '../../proto/gen/spiffe/broker/WorkloadReference.ts'
import type { Call, Implementation } from '../../proto/serve.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import { type BundlesById, isSameBundlesById, jwksOf, x509BundleOf } from '../cache/bundle-bytes.ts'
import type { IdentitySource } from '../cache/identity.ts'
import { followState, type StateStream } from '../delegated-identity/follow-state.ts'
import { parseJwtWish } from '../workload-api/jwt-answers.ts'
import type { RequireType } from './allow-type.ts'
import {
  type BrokerCache,
  bundlesFor,
  isSameX509,
  jwtSvidsFor,
  toWireX509,
  x509StateOf,
} from './answers.ts'
import type { BrokerPeer } from './broker-peer.ts'
import type { AdmitCall } from './call-limit.ts'
import { parseReference, typedReference } from './parse-reference.ts'
import type { BrokeredWorkload, ResolveReference } from './resolve-reference.ts'

export interface BrokerServiceDeps {
  readonly cache: BrokerCache
  readonly source: Pick<IdentitySource, 'fetchJwtSvid'>
  readonly requireType: RequireType
  readonly resolve: ResolveReference
  readonly admit: AdmitCall<SpiffeId>
  readonly clock: Clock
  /** Called when a stream of SVIDs is asked for; what it gives is called when it carries some for the first time. */
  readonly measureFirstSvids?: () => () => void
}

type Open = Call<BrokerPeer>

export function brokerService(deps: BrokerServiceDeps): Implementation<BrokerPeer, APIHandlers> {
  const { cache, source, admit } = deps
  const followBundles = async (
    wire: WorkloadReference | null,
    call: Open,
    encode: (bundle: Bundle) => Buffer,
    send: (bundles: BundlesById) => Promise<void>,
  ): Promise<void> => {
    using _open = admit(call.caller.id)
    const workload = await workloadOf(wire, call, deps)
    const look = () => bundlesFor(cache, workload.selectors, encode)
    await follow(workload, call, deps, { look, isSame: isSameBundlesById, send })
  }
  return {
    async SubscribeToX509SVID({ reference }, call, send) {
      using _open = admit(call.caller.id)
      let onFirst = deps.measureFirstSvids?.()
      const workload = await workloadOf(reference, call, deps)
      using _wanted = cache.subscribe(workload.selectors)
      await follow(workload, call, deps, {
        look: () => x509StateOf(cache, workload.selectors),
        isSame: isSameX509,
        async send(state) {
          onFirst?.()
          onFirst = undefined
          await send(toWireX509(state))
        },
      })
    },
    SubscribeToX509Bundles: ({ reference }, call, send) =>
      followBundles(reference, call, x509BundleOf, (bundles) => send({ bundles })),
    SubscribeToJWTBundles: ({ reference }, call, send) =>
      followBundles(reference, call, jwksOf, (bundles) => send({ bundles })),
    async FetchJWTSVID(request, call) {
      using _open = admit(call.caller.id)
      const wish = parseJwtWish(request)
      const workload = await workloadOf(request.reference, call, deps)
      const response = await jwtSvidsFor({ cache, source }, workload.selectors, wish, call.signal)
      // Tokens may have taken a while to come.
      requireAllowed(workload, call)
      return response
    },
  }
}

async function workloadOf(
  wire: WorkloadReference | null,
  call: Open,
  { requireType, resolve }: BrokerServiceDeps,
): Promise<BrokeredWorkload> {
  const { caller, signal } = call
  caller.requireStill()
  const typed = typedReference(wire)
  requireType(caller, typed.typeUrl)
  const workload = await resolve(parseReference(typed), caller.id, signal)
  requireAllowed(workload, call)
  return workload
}

function requireAllowed(workload: BrokeredWorkload, { caller }: Open): void {
  caller.requireStill()
  workload.requireThere()
}

/** Resolves when the broker has gone. @throws IdentityError when it may have no more of this workload */
async function follow<T>(
  workload: BrokeredWorkload,
  call: Open,
  { cache, clock }: BrokerServiceDeps,
  stream: Pick<StateStream<T>, 'look' | 'isSame' | 'send'>,
): Promise<void> {
  const over = new AbortController()
  const stop = AbortSignal.any([call.signal, over.signal])
  let verdict: unknown
  const watching = watch(workload, clock, stop).catch((error: unknown) => {
    verdict = error
    over.abort()
  })
  const allowed = () => requireAllowed(workload, call)
  try {
    await followState({ ...stream, news: cache.news, requireAllowed: allowed }, stop)
  } finally {
    over.abort()
    await watching
  }
  if (verdict !== undefined) throw verdict
}

/** Rejects when the workload is no longer there; resolves when the signal aborts. */
async function watch(
  { lookEveryMs, look }: BrokeredWorkload,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(lookEveryMs, signal)
    if (signal.aborted) return
    await look(signal)
  }
}
