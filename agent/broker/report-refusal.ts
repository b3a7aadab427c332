/** What the agent's log says of a refused broker: who it was, the code and why. */
import type { Log } from '../../log/open-log.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { BrokerPeer } from './broker-peer.ts'

export interface BrokerRefusal {
  readonly method: string
  readonly error: unknown
  readonly caller?: BrokerPeer
}

export function reportBrokerRefusal(log: Log, { method, error, caller }: BrokerRefusal): void {
  const who = { method, broker: caller?.id, transport: caller?.transport }
  if (!(error instanceof IdentityError)) {
    log.error({ ...who, err: error }, 'A call failed because of a defect of the agent')
    return
  }
  const { code } = error
  if (code === 'CANCELED') {
    log.debug(who, 'A broker has gone before it was answered')
    return
  }
  log.warn({ ...who, code, reason: error.message }, 'Refused a broker')
}
