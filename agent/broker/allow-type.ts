/**
 * Which types of references each broker may use, and over which transport. Fails closed: what is not allowed by the
 * configuration is refused before the workload is looked for, so that a broker learns nothing of it.
 *
 * @see SPIRE behaviour §11 — experimental.broker
 */
import { IdentityError } from '../../spiffe/error.ts'
import type { BrokerPeer } from './broker-peer.ts'
import { type AllowedBroker, ANY_TYPE } from './settings.ts'

/** @throws IdentityError NOT_AUTHORIZED in SPIRE's words */
export type RequireType = (peer: BrokerPeer, typeUrl: string) => void

/** A type URL is not ours to repeat at any length. */
const MAX_SHOWN_CHARS = 200

export function allowTypes(brokers: readonly AllowedBroker[]): RequireType {
  const byId = new Map(brokers.map(({ id, allowedTypes }) => [id, allowedTypes]))
  return ({ id, transport }, typeUrl) => {
    const allowed = byId.get(id)?.find((one) => [ANY_TYPE, typeUrl].includes(one.typeUrl))
    const type = JSON.stringify(typeUrl.slice(0, MAX_SHOWN_CHARS))
    if (allowed === undefined) {
      throw refused(`broker "${id}" is not allowed to use reference type ${type}`)
    }
    if (transport === 'tcp' && !allowed.isAllowedOverTcp) {
      throw refused(`reference type ${type} is not allowed over TCP for broker "${id}"`)
    }
  }
}

function refused(message: string): IdentityError {
  return new IdentityError('NOT_AUTHORIZED', message)
}
