/**
 * The identity of one workload of the node, from the agent's Delegated Identity API by the workload's selectors: the proxy acts for it
 * and is itself only a delegate. Of the bundles that the agent holds the workload gets its own trust domain's and those that its
 * entries federate with, and no other.
 */
import type { SubscribeToX509BundlesResponse } from '../../proto/gen/spire/api/agent/delegatedidentity/v1/SubscribeToX509BundlesResponse.ts'
import type { SubscribeToX509SVIDsResponse } from '../../proto/gen/spire/api/agent/delegatedidentity/v1/SubscribeToX509SVIDsResponse.ts'
import { fromWireId, toWireSelector } from '../../proto/wire.ts'
import { type Bundle, emptyBundle } from '../../spiffe/bundle.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { parseTrustDomain, type TrustDomain, trustDomainOf } from '../../spiffe/id.ts'
import type { Selector } from '../../spiffe/selector.ts'
import { parseCertificates } from '../../spiffe/x509/certificate.ts'
import { parseX509Svid } from '../../spiffe/x509/x509-svid.ts'
import { createLatest, type Latest, type LatestReader, opened } from '../../workload/latest.ts'
import type { HintedX509Svid, X509Context } from '../../workload/x509-context.ts'
import { type DelegatedOptions, followDelegated } from './delegated-client.ts'
import type { ProxyIdentity } from './identity.ts'

export type Bundles = ReadonlyMap<TrustDomain, Bundle>
export interface DelegatedBundles extends LatestReader<Bundles>, AsyncDisposable {}

/** All that the agent holds; one stream for all workloads. @throws IdentityError as `openDelegatedIdentity` */
export async function openDelegatedBundles(
  options: DelegatedOptions,
  signal: AbortSignal,
): Promise<DelegatedBundles> {
  const latest = createLatest<Bundles>()
  const read = (message: SubscribeToX509BundlesResponse) => latest.set(readBundles(message))
  const closing = new AbortController()
  const open = followDelegated(
    options,
    (client) => client.SubscribeToX509Bundles({}),
    { latest, read },
    closing.signal,
  )
  const source: DelegatedBundles = {
    ...{ current: latest.current, onChange: latest.onChange, updates: latest.updates },
    async [Symbol.asyncDispose]() {
      closing.abort()
      latest.close()
      await open
    },
  }
  return await waitedFor(source, latest, signal)
}

/**
 * Waits until there is an SVID for these selectors; then it lasts until it is disposed of.
 * @throws IdentityError UNAVAILABLE when `signal` aborts meanwhile, REQUEST_INVALID or NOT_IMPLEMENTED when the agent refuses for
 *   good
 */
export async function openDelegatedIdentity(
  options: DelegatedOptions,
  selectors: readonly Selector[],
  bundles: LatestReader<Bundles>,
  signal: AbortSignal,
): Promise<ProxyIdentity> {
  const latest = createLatest<X509Context>()
  let message: SubscribeToX509SVIDsResponse | undefined
  const nobody = new IdentityError(
    'NO_IDENTITY_ISSUED',
    `the agent has no identity for the selectors ${selectors.join(', ')}; create an entry that has no others`,
  )
  const update = () => {
    if (message === undefined) return
    if (message.x509_svids.length > 0) latest.set(readContext(message, bundles.current()))
  }
  const read = (next: SubscribeToX509SVIDsResponse) => {
    message = next
    if (next.x509_svids.length === 0) {
      latest.withdraw(nobody)
      options.onFailure(nobody, 0)
    }
    update()
  }
  const following = bundles.onChange(() => {
    try {
      update()
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error
      latest.withdraw(error) // fails closed: without bundles nobody is to be believed
    }
  })
  const request = { selectors: selectors.map(toWireSelector) }
  const closing = new AbortController()
  const open = followDelegated(
    options,
    (client) => client.SubscribeToX509SVIDs(request),
    { latest, read },
    closing.signal,
  )
  const identity: ProxyIdentity = {
    current: latest.current,
    onChange: latest.onChange,
    async [Symbol.asyncDispose]() {
      following[Symbol.dispose]()
      closing.abort()
      latest.close()
      await open
    },
  }
  return await waitedFor(identity, latest, signal)
}

/** @throws IdentityError when anything in it is broken; then all of it is refused */
export function readContext(message: SubscribeToX509SVIDsResponse, all: Bundles): X509Context {
  const svids = message.x509_svids.map(({ x509_svid, x509_svid_key }): HintedX509Svid => {
    const svid = parseX509Svid(Buffer.concat(x509_svid?.cert_chain ?? []), x509_svid_key)
    const named = fromWireId(x509_svid?.id)
    if (svid.id === named) return { ...svid, hint: x509_svid?.hint ?? '' }
    const why = `the agent calls an X509-SVID ${named}, its certificate says ${svid.id}`
    throw new IdentityError('CERTIFICATE_MALFORMED', why)
  })
  const [defaultSvid] = svids
  if (defaultSvid === undefined) {
    throw new IdentityError('CERTIFICATE_MALFORMED', 'the agent answered without any X509-SVID')
  }
  const wanted = [
    ...svids.map(({ id }) => trustDomainOf(id)),
    ...message.federates_with.map(parseTrustDomain),
  ]
  const bundles = new Map<TrustDomain, Bundle>()
  for (const trustDomain of wanted) {
    const bundle = all.get(trustDomain)
    if (bundle !== undefined) bundles.set(trustDomain, bundle)
  }
  return { defaultSvid, svids, bundles }
}

/** @throws IdentityError TRUST_DOMAIN_INVALID, CERTIFICATE_MALFORMED */
export function readBundles({ ca_certificates }: SubscribeToX509BundlesResponse): Bundles {
  return new Map(
    Object.entries(ca_certificates).map(([id, der]) => {
      const trustDomain = parseTrustDomain(id)
      const x509Authorities = parseCertificates(der).map((one) => ({
        ...{ der: one.der, tainted: false },
      }))
      return [trustDomain, { ...emptyBundle(trustDomain), x509Authorities }] as const
    }),
  )
}

async function waitedFor<S extends AsyncDisposable, T>(
  source: S,
  latest: Latest<T>,
  signal: AbortSignal,
): Promise<S> {
  signal.addEventListener('abort', latest.close, { once: true })
  if (signal.aborted) latest.close()
  try {
    return await opened(source, latest)
  } finally {
    signal.removeEventListener('abort', latest.close)
  }
}
