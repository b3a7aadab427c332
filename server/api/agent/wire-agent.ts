/** Agents as the wire has them, and filters over them read from it. */
import type { _spire_api_server_agent_v1_ListAgentsRequest_Filter as WireFilter } from '../../../proto/gen/spire/api/server/agent/v1/ListAgentsRequest.ts'
import type { AgentInput } from '../../../proto/gen/spire/api/types/Agent.ts'
import type { AgentMask } from '../../../proto/gen/spire/api/types/AgentMask.ts'
import { toWireId, toWireSelector } from '../../../proto/wire.ts'
import { unixSeconds } from '../../../spiffe/clock.ts'
import { parseSelectorList } from '../../entries/parse-entry.ts'
import type { NodeFilter } from '../../nodes/filter.ts'
import { type AttestedNode, isBanned } from '../../nodes/node.ts'
import { invalid, within } from '../refusal.ts'
import { fromWireMatch } from '../wire-match.ts'

/** @param mask the fields to fill in; null for all. The ID is always there. */
export function toWireAgent(node: AttestedNode, mask: AgentMask | null): AgentInput {
  const wire: AgentInput = { id: toWireId(node.id) }
  if (mask === null || mask.attestation_type) wire.attestation_type = node.attestationType
  if (mask === null || mask.x509svid_serial_number) wire.x509svid_serial_number = node.serialNumber
  if (mask === null || mask.x509svid_expires_at) {
    wire.x509svid_expires_at = unixSeconds(node.expiresAt)
  }
  if (mask === null || mask.selectors) wire.selectors = node.selectors.map(toWireSelector)
  if (mask === null || mask.banned) wire.banned = isBanned(node)
  if (mask === null || mask.can_reattest) wire.can_reattest = node.canReattest
  if (mask === null || mask.agent_version) wire.agent_version = node.agentVersion
  return wire
}

export function fromWireAgentFilter(wire: WireFilter | null): NodeFilter {
  if (wire === null) return {}
  const { by_selector_match } = wire
  return {
    attestationType: wire.by_attestation_type === '' ? undefined : wire.by_attestation_type,
    banned: wire.by_banned?.value,
    canReattest: wire.by_can_reattest?.value,
    expiresBefore: parseGoTime(wire.by_expires_before),
    selectors:
      by_selector_match === null
        ? undefined
        : within('failed to parse selectors', () => {
            const values = parseSelectorList(by_selector_match.selectors)
            if (values.length === 0) throw invalid('empty selector set')
            return { match: fromWireMatch(by_selector_match.match), values }
          }),
  }
}

const GO_TIME =
  /^(?<date>\d{4}-\d\d-\d\d) (?<time>\d\d:\d\d:\d\d(?:\.\d{1,9})?) (?<hours>[+-]\d\d)(?<minutes>\d\d) [+-]\d\d$/

/**
 * A time in Go's layout `2006-01-02 15:04:05 -0700 -07`, as SPIRE's CLI sends it.
 * @returns undefined for anything else: SPIRE leaves the filter out then
 */
export function parseGoTime(text: string): Date | undefined {
  const found = GO_TIME.exec(text)?.groups
  if (found === undefined) return undefined
  const parsed = new Date(`${found.date}T${found.time}${found.hours}:${found.minutes}`)
  return Number.isNaN(parsed.getTime()) ? undefined : parsed
}
