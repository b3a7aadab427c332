/** What every workload attestor offers: facts about a calling process, or a refusal to state any. */
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import type { Selector } from '../../spiffe/selector.ts'

export interface WorkloadAttestor {
  /** The type of its selectors, e.g. `unix`. */
  readonly type: string
  /**
   * May run for several callers at once. An empty list is a success: nothing is known of this process here.
   * @throws when the facts cannot be established; the caller then goes without the selectors of this attestor
   */
  attest(caller: UnixCaller, signal: AbortSignal): Promise<readonly Selector[]>
}
