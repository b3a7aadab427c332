/**
 * PeerAuthentication (`security.istio.io/v1`, `v1beta1`): whether inbound connections must be mutual TLS.
 *
 * @see https://istio.io/latest/docs/reference/config/security/peer_authentication/
 */
import type { ObjectName } from './resource.ts'

/** `UNSET` inherits from the next wider policy. */
export type WrittenMode = 'UNSET' | 'DISABLE' | 'PERMISSIVE' | 'STRICT'

export interface PeerAuthentication extends ObjectName {
  /** Empty: the whole namespace, or the whole mesh in the root namespace. */
  readonly labels: Readonly<Record<string, string>>
  /** Milliseconds since 1970; the oldest of several policies wins. Undefined counts as oldest. */
  readonly createdMs: number | undefined
  readonly mode: WrittenMode
  /** By the workload's port, not the Service's. */
  readonly portModes: ReadonlyMap<number, WrittenMode>
}
