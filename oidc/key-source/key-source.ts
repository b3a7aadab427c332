/** Where the keys come from that verify tokens. */
import type { Bundle } from '../../spiffe/bundle.ts'
import type { TrustDomain } from '../../spiffe/id.ts'

export interface KeySource {
  /** Tells of the bundle of the trust domain, again and again, until the signal aborts. */
  follow(
    on: {
      /** It may be the same as before. */
      readonly bundle: (bundle: Bundle) => void
      /** Another attempt follows; the last keys stay. */
      readonly failure: (error: unknown) => void
    },
    signal: AbortSignal,
  ): Promise<void>
}

export type KeySourceConfig =
  | { readonly kind: 'server_api'; readonly address: string; readonly pollMs: number }
  | {
      readonly kind: 'workload_api'
      readonly socketPath: string
      readonly trustDomain: TrustDomain
    }
  | { readonly kind: 'file'; readonly path: string; readonly pollMs: number }
