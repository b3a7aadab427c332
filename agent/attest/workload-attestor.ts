/** What every workload attestor offers: facts about a calling process, or a refusal to state any. */
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import type { Selector } from '../../spiffe/selector.ts'
import type { ProcessIds } from './process-status.ts'
import type { KubernetesObject } from './reference.ts'

/** A calling process. */
export interface SeenCaller extends UnixCaller {
  /** What it was just before it is attested; left out: whoever needs it looks. */
  readonly ids?: ProcessIds
}

/** `once`: what is known now is enough, for somebody who only asks. */
export type Patience = 'full' | 'once'

export interface WorkloadAttestor {
  /** The type of its selectors, e.g. `unix`. */
  readonly type: string
  /**
   * May run for several callers at once. An empty list is a success: nothing is known of this process here.
   * @param patience `full` when left out
   * @throws when the facts cannot be established; the caller then goes without the selectors of this attestor
   */
  attest(caller: SeenCaller, signal: AbortSignal, patience?: Patience): Promise<readonly Selector[]>
  /** For brokers. Left out: it knows no objects, and of a process it tells a broker what it tells everybody. */
  readonly forBrokers?: BrokeredAttestor
  /** What it does all the while, such as following a watch: until the signal aborts, and it never rejects. */
  readonly follow?: (signal: AbortSignal) => Promise<void>
}

/** As `attest`, of a workload that a broker names; it decides by itself which broker may have what. */
export interface BrokeredAttestor {
  attestProcess(
    process: UnixCaller,
    broker: SpiffeId,
    signal: AbortSignal,
  ): Promise<readonly Selector[]>
  /** @throws IdentityError as above, WORKLOAD_NOT_FOUND, WORKLOAD_REFERENCE_INVALID, NOT_AUTHORIZED */
  attestObject(
    object: KubernetesObject,
    broker: SpiffeId,
    signal: AbortSignal,
  ): Promise<readonly Selector[]>
}
