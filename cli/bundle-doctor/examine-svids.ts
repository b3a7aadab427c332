/** The server's own SVID and those of its agents: whether they are renewed in time. */
import type { GetInfoResponse } from '../../proto/gen/spire/api/server/debug/v1/GetInfoResponse.ts'
import type { Agent } from '../../proto/gen/spire/api/types/Agent.ts'
import { fromUnixSeconds } from '../../spiffe/clock.ts'
import { idText } from '../output/entry-text.ts'
import type { End, Examined, Finding } from './examination.ts'

/** Agents named one by one; of more, those that end first. */
const MAX_AGENTS = 20
/** Agents renew at half of a life; with lives that are shorter than this there is always one near its end. */
const NEAR_END_MS = 60_000

export function examineServerSvid(info: GetInfoResponse | undefined, now: Date): Examined {
  const leaf = info?.svid_chain[0]
  if (leaf === undefined) return { findings: [], ends: [] }
  const subject = 'SVID of the server'
  const at = fromUnixSeconds(leaf.expires_at)
  const breaks = 'agents cannot connect'
  const remedy = 'read the log of the server for why it is not renewed'
  const finding = nearEnd(subject, at, now)
  return {
    ends: [{ subject, at, breaks }],
    findings: finding === undefined ? [] : [{ ...finding, remedy }],
  }
}

export function examineAgents(agents: readonly Agent[], now: Date): Examined {
  const findings: Finding[] = []
  const ends: End[] = []
  const admitted = agents
    .filter(({ banned }) => !banned)
    .toSorted((a, b) => a.x509svid_expires_at - b.x509svid_expires_at)
  for (const agent of admitted) {
    const subject = `SVID of agent ${idText(agent.id)}`
    const at = fromUnixSeconds(agent.x509svid_expires_at)
    const breaks = 'the agent attests anew, or its workloads get nothing new'
    if (at > now && ends.length < MAX_AGENTS) ends.push({ subject, at, breaks })
    const finding = nearEnd(subject, at, now)
    if (finding === undefined || findings.length >= MAX_AGENTS) continue
    const remedy = agent.can_reattest
      ? 'start the agent: it attests anew by itself'
      : 'start the agent with a new join token (steeple server token generate), or evict it if it is gone for good'
    findings.push({ ...finding, severity: 'warning', remedy })
  }
  const isPast = ({ x509svid_expires_at }: Agent) => fromUnixSeconds(x509svid_expires_at) <= now
  const more = admitted.filter(isPast).length - findings.length
  if (more > 0) {
    const problem = `of ${more} more the SVID has ended`
    const remedy = 'steeple server agent list, and evict those that are gone for good'
    findings.push({ severity: 'warning', subject: 'agents', problem, remedy })
  }
  return { findings, ends }
}

function nearEnd(subject: string, at: Date, now: Date): Omit<Finding, 'remedy'> | undefined {
  if (at <= now) return { severity: 'error', subject, problem: `it ended at ${at.toISOString()}` }
  if (at.getTime() - now.getTime() >= NEAR_END_MS) return undefined
  return { severity: 'warning', subject, problem: 'it ends within a minute and is not renewed' }
}
