/** What is configured of the Broker API. */
import type { SpiffeId } from '../../spiffe/id.ts'

export interface BrokerSettings {
  /** Unix socket; undefined: none. At least one of the two is there. */
  readonly socketPath: string | undefined
  readonly bindAddress: { readonly host: string; readonly port: number } | undefined
  readonly brokers: readonly AllowedBroker[]
}

export interface AllowedBroker {
  /** Of any trust domain. */
  readonly id: SpiffeId
  /** At least one; `*` stands alone and for every type. */
  readonly allowedTypes: readonly AllowedType[]
}

export interface AllowedType {
  readonly typeUrl: string
  /** False: over the Unix socket only. */
  readonly isAllowedOverTcp: boolean
}

export const ANY_TYPE = '*'
