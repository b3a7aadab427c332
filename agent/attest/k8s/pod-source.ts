/** Whoever knows the pods of this node: the kubelet, or the API server. */
import type { Patience } from '../workload-attestor.ts'
import type { PodList } from './pod-list.ts'

export interface PodSource {
  /**
   * Shows the pods to `look`, again each time that they are known better, until it returns something or patience ends.
   * @throws what `look` throws; IdentityError CANCELED when the signal aborts
   */
  search<T>(
    look: (pods: PodList) => T | undefined,
    options: { readonly signal: AbortSignal; readonly patience: Patience },
  ): Promise<Searched<T>>
  /** Until the signal aborts; never rejects. What is open is closed then. */
  follow(signal: AbortSignal): Promise<void>
}

export type Searched<T> =
  | { readonly kind: 'found'; readonly value: T }
  /** `problem` says why the pods may not be known as they are; undefined when they are. */
  | { readonly kind: 'gave-up'; readonly problem: string | undefined }
