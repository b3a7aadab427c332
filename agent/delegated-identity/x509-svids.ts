/**
 * X.509-SVIDs of one workload for its delegate: of every entry that matches, but never those of administrators and downstream
 * servers. Each message is the complete state, and empty when nothing matches, as SPIRE's agent answers.
 */
import type { SubscribeToX509SVIDsResponseInput } from '../../proto/gen/spire/api/agent/delegatedidentity/v1/SubscribeToX509SVIDsResponse.ts'
import { toWireId } from '../../proto/wire.ts'
import { unixSeconds } from '../../spiffe/clock.ts'
import { type TrustDomain, trustDomainId } from '../../spiffe/id.ts'
import type { Selector } from '../../spiffe/selector.ts'
import type { CachedEntry } from '../cache/entry.ts'
import type { WorkloadCache } from '../cache/workload-cache.ts'
import type { X509Svid } from '../cache/x509-svid.ts'

export interface DelegatedSvids {
  readonly identities: readonly {
    readonly entry: CachedEntry
    readonly svid: Pick<X509Svid, 'chain' | 'key' | 'expiresAt'>
  }[]
  /** Those whose bundles are known, in order. */
  readonly federatesWith: readonly TrustDomain[]
}

/**
 * An entry that is new to a stream comes with its SVID, and holds up nothing until then: a delegate of thousands would otherwise
 * hear of no change while entries keep coming.
 * @param sent what the stream has carried; undefined: nothing, and its first message is of all that there are
 * @returns undefined while an entry that is to be given has no SVID
 */
export function delegatedSvids(
  cache: Pick<WorkloadCache, 'matching' | 'servable' | 'knowledge'>,
  selectors: ReadonlySet<Selector>,
  sent?: DelegatedSvids,
): DelegatedSvids | undefined {
  const entries = cache.matching(selectors)
  const identities: DelegatedSvids['identities'][number][] = []
  const missing: string[] = []
  for (const entry of entries) {
    if (entry.privileged) continue
    const svid = cache.servable(entry)
    if (svid !== undefined) identities.push({ entry, svid })
    else if (sent === undefined) return undefined
    else missing.push(entry.entryId)
  }
  if (missing.length > 0) {
    const before = new Set(sent?.identities.map(({ entry }) => entry.entryId))
    if (missing.some((entryId) => before.has(entryId))) return undefined
  }
  const { federated } = cache.knowledge()
  const wanted = new Set(entries.flatMap(({ federatesWith }) => federatesWith))
  return { identities, federatesWith: [...wanted].filter((one) => federated.has(one)).sort() }
}

/** The cache keeps a chain as it is until there is another one. */
export function isSameSvids(a: DelegatedSvids, b: DelegatedSvids): boolean {
  return (
    a.identities.length === b.identities.length &&
    a.identities.every(({ entry, svid }, at) => {
      const other = b.identities[at]
      return svid.chain === other?.svid.chain && entry.hint === other.entry.hint
    }) &&
    a.federatesWith.join() === b.federatesWith.join()
  )
}

export function toWireSvids(state: DelegatedSvids): SubscribeToX509SVIDsResponseInput {
  return {
    x509_svids: state.identities.map(
      ({ entry: { id, hint }, svid: { chain, key, expiresAt } }) => ({
        x509_svid: {
          ...{ id: toWireId(id), cert_chain: chain.map(asBuffer), hint },
          expires_at: unixSeconds(expiresAt),
        },
        x509_svid_key: asBuffer(key),
      }),
    ),
    federates_with: state.federatesWith.map(trustDomainId),
  }
}

/** The generated types know no other bytes. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
