/** Attested agents for people: the lines that `spire-server agent list` prints. */
import type { Agent } from '../../proto/gen/spire/api/types/Agent.ts'
import { fromUnixSeconds } from '../../spiffe/clock.ts'
import { idText } from './entry-text.ts'
import { formatLocal } from './go-time.ts'

const LABEL_WIDTH = 18

/** Ends with an empty line. */
export function agentText(agent: Agent): string {
  const { banned, agent_version: version } = agent
  return [
    agentLine('SPIFFE ID', idText(agent.id)),
    agentLine('Attestation type', agent.attestation_type),
    agentLine('Expiration time', formatLocal(fromUnixSeconds(agent.x509svid_expires_at))),
    banned ? agentLine('Banned', true) : agentLine('Serial number', agent.x509svid_serial_number),
    agentLine('Can re-attest', agent.can_reattest),
    version === '' ? '' : agentLine('Agent version', version),
    '\n',
  ].join('')
}

export function agentLine(label: string, value: string | boolean): string {
  return `${label.padEnd(LABEL_WIDTH)}: ${value}\n`
}
