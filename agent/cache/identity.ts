/**
 * What the agent knows on behalf of a workload, as the Workload API consumes it. Nothing here is ever
 * expired, unsigned or another workload's: an identity is handed out only with its private key, its chain and
 * the bundles that its entry is entitled to.
 *
 * @see Workload-API §4.3, §5.2 — every update is the complete state
 */
import type { Bundle } from '../../spiffe/bundle.ts'
import type { SpiffeId, TrustDomain } from '../../spiffe/id.ts'
import type { Selector } from '../../spiffe/selector.ts'

/** A registration entry that matches a workload. */
export interface MatchedEntry {
  readonly entryId: string
  readonly id: SpiffeId
  /** Empty when the entry has none; otherwise unique among the entries that are returned together. */
  readonly hint: string
  /** Unix seconds. */
  readonly createdAt: number
  readonly federatesWith: readonly TrustDomain[]
}

export interface X509Identity extends MatchedEntry {
  /** DER, leaf first, without the root. */
  readonly chain: readonly Uint8Array[]
  /** PKCS#8, DER. */
  readonly key: Uint8Array
  readonly expiresAt: Date
}

export interface WorkloadUpdate {
  /** In entry-ID order; the first is the default identity. Empty when no entry matches. */
  readonly identities: readonly X509Identity[]
  readonly bundle: Bundle
  /** Those that `identities` federate with, and that are known. */
  readonly federatedBundles: readonly Bundle[]
}

export interface BundlesUpdate {
  readonly hasIdentity: boolean
  readonly bundle: Bundle
  readonly federatedBundles: readonly Bundle[]
}

export interface JwtSvid {
  /** A secret of the workload: never logged. */
  readonly token: string
  readonly id: SpiffeId
  readonly hint: string
  readonly expiresAt: Date
}

export interface TrustedBundles {
  readonly own: Bundle
  readonly federated: ReadonlyMap<TrustDomain, Bundle>
}

export interface IdentitySource {
  /**
   * Waits until every matching entry has an SVID, then yields at once and again on every change that matters to
   * these selectors; equal consecutive updates are not repeated, and a reader that is slow sees the newest
   * state only. Ends when the signal aborts.
   */
  watchX509(selectors: ReadonlySet<Selector>, signal: AbortSignal): AsyncIterable<WorkloadUpdate>
  /** As `watchX509`, of every entry that matches, whatever its hint: for whoever asks by SPIFFE ID. */
  watchEveryX509(
    selectors: ReadonlySet<Selector>,
    signal: AbortSignal,
  ): AsyncIterable<WorkloadUpdate>
  /** The own bundle and the federated ones of the entries that match, now and on every change. */
  watchBundles(selectors: ReadonlySet<Selector>, signal: AbortSignal): AsyncIterable<BundlesUpdate>
  /** The entries that match, in entry-ID order; of several with the same hint only the oldest. */
  matching(selectors: ReadonlySet<Selector>): readonly MatchedEntry[]
  /**
   * A token for one of the entries that `matching` returned, from the cache or from the server.
   * @throws IdentityError NO_IDENTITY_ISSUED when the entry is gone, UNAVAILABLE or the server's own refusal
   */
  fetchJwtSvid(
    entry: MatchedEntry,
    audience: readonly string[],
    signal: AbortSignal,
  ): Promise<JwtSvid>
  /** All bundles the agent holds, for validating tokens. */
  bundles(): TrustedBundles
}
