/**
 * What a broker is given of one workload: as the Workload API gives it to the workload itself, except identities of administrators
 * and downstream servers, which no broker is given. A workload without any is told by WORKLOAD_NOT_ENTITLED.
 *
 * @see Broker-API §5, §6 — X.509-SVID and JWT-SVID profiles
 */
import type { FetchJWTSVIDResponseInput } from '../../proto/gen/spiffe/broker/FetchJWTSVIDResponse.ts'
import type { SubscribeToX509SVIDResponseInput } from '../../proto/gen/spiffe/broker/SubscribeToX509SVIDResponse.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import { trustDomainId } from '../../spiffe/id.ts'
import type { Selector } from '../../spiffe/selector.ts'
import { type BundlesById, x509BundleOf } from '../cache/bundle-bytes.ts'
import type { CachedEntry } from '../cache/entry.ts'
import type { IdentitySource, JwtSvid } from '../cache/identity.ts'
import type { WorkloadCache } from '../cache/workload-cache.ts'
import type { X509Svid } from '../cache/x509-svid.ts'
import type { JwtWish } from '../workload-api/jwt-answers.ts'

export type BrokerCache = Pick<
  WorkloadCache,
  'served' | 'servable' | 'knowledge' | 'subscribe' | 'news'
>

type Selectors = ReadonlySet<Selector>

/** Tokens that one request fetches from the server at the same time. */
const MAX_PARALLEL_FETCHES = 16

export interface X509State {
  readonly identities: readonly { readonly entry: CachedEntry; readonly svid: X509Svid }[]
  readonly bundles: readonly Bundle[]
}

/** @returns undefined while an entry has no SVID yet @throws IdentityError WORKLOAD_NOT_ENTITLED */
export function x509StateOf(cache: BrokerCache, selectors: Selectors): X509State | undefined {
  const entries = entitled(cache, selectors)
  const identities: X509State['identities'][number][] = []
  for (const entry of entries) {
    const svid = cache.servable(entry)
    if (svid === undefined) return undefined
    identities.push({ entry, svid })
  }
  return { identities, bundles: bundlesOf(cache, entries) }
}

/** The cache keeps chains and bundles as they are until there are others. */
export function isSameX509(a: X509State, b: X509State): boolean {
  return (
    a.identities.length === b.identities.length &&
    a.identities.every(({ entry, svid }, at) => {
      const other = b.identities[at]
      return svid.chain === other?.svid.chain && entry.hint === other.entry.hint
    }) &&
    a.bundles.length === b.bundles.length &&
    a.bundles.every((one, at) => {
      const other = b.bundles[at]
      return other !== undefined && (one === other || x509BundleOf(one).equals(x509BundleOf(other)))
    })
  )
}

export function toWireX509({ identities, bundles }: X509State): SubscribeToX509SVIDResponseInput {
  const [own, ...federated] = bundles
  const bundle = own === undefined ? Buffer.alloc(0) : x509BundleOf(own)
  return {
    svids: identities.map(({ entry: { id, hint }, svid: { chain, key } }) => ({
      ...{ spiffe_id: id, hint, bundle },
      x509_svid: Buffer.concat(chain),
      x509_svid_key: Buffer.from(key.buffer, key.byteOffset, key.byteLength),
    })),
    federated_bundles: Object.fromEntries(
      federated.map((one) => [trustDomainId(one.trustDomain), x509BundleOf(one)]),
    ),
  }
}

/** The own bundle and those that the workload's entries federate with. @throws IdentityError WORKLOAD_NOT_ENTITLED */
export function bundlesFor(
  cache: BrokerCache,
  selectors: Selectors,
  encode: (bundle: Bundle) => Buffer,
): BundlesById {
  const bundles = bundlesOf(cache, entitled(cache, selectors))
  return Object.fromEntries(bundles.map((one) => [trustDomainId(one.trustDomain), encode(one)]))
}

/** @throws IdentityError WORKLOAD_NOT_ENTITLED, UNAVAILABLE */
export async function jwtSvidsFor(
  { cache, source }: { cache: BrokerCache; source: Pick<IdentitySource, 'fetchJwtSvid'> },
  selectors: Selectors,
  { audience, id }: JwtWish,
  signal: AbortSignal,
): Promise<FetchJWTSVIDResponseInput> {
  const entries = entitled(cache, selectors).filter((one) => id === undefined || one.id === id)
  if (entries.length === 0) throw notEntitled(`${id} is no identity of the workload`)
  const svids: JwtSvid[] = []
  for (let start = 0; start < entries.length; start += MAX_PARALLEL_FETCHES) {
    const some = entries.slice(start, start + MAX_PARALLEL_FETCHES)
    const fetched = some.map((entry) => source.fetchJwtSvid(entry, audience, signal))
    svids.push(...(await Promise.all(fetched).catch((error) => fail(error, signal))))
  }
  return { svids: svids.map(({ token, id, hint }) => ({ spiffe_id: id, svid: token, hint })) }
}

function fail(error: unknown, signal: AbortSignal): never {
  if (signal.aborted) throw new IdentityError('CANCELED', 'the broker has gone')
  if (!(error instanceof IdentityError)) throw error
  const why = `could not fetch JWT-SVID: ${reasonOf(error)}`
  throw new IdentityError('UNAVAILABLE', why, { cause: error })
}

function entitled(cache: BrokerCache, selectors: Selectors): readonly CachedEntry[] {
  const served = cache.served(selectors)
  const entries = served.filter(({ privileged }) => !privileged)
  if (entries.length > 0) return entries
  const withheld = served.length > 0
  throw notEntitled(
    withheld
      ? 'only admin or downstream entries match the workload, which are given to no broker'
      : 'no registration entry has only selectors of the workload',
  )
}

/** SPIRE's text, then why. */
function notEntitled(why: string): IdentityError {
  return new IdentityError('WORKLOAD_NOT_ENTITLED', `no identity issued: ${why}`)
}

/** The own bundle first. */
function bundlesOf(cache: BrokerCache, entries: readonly CachedEntry[]): readonly Bundle[] {
  const { bundle, federated } = cache.knowledge()
  const wanted = new Set(entries.flatMap(({ federatesWith }) => federatesWith))
  wanted.delete(bundle.trustDomain)
  return [bundle, ...[...wanted].sort().flatMap((one) => federated.get(one) ?? [])]
}
