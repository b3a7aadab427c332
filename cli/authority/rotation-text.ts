/** What a guided rotation tells people: where it stands, what it waits for and how to go on. */
import type { GetProgressResponse } from '../../proto/gen/steeple/server/authority/v1/GetProgressResponse.ts'
import type { Standing } from '../../proto/gen/steeple/server/authority/v1/Standing.ts'
import type { UseKind } from '../../proto/gen/steeple/server/authority/v1/UseKind.ts'
import { fromUnixSeconds } from '../../spiffe/clock.ts'
import { formatUtc } from '../output/go-time.ts'
import type { Decision, Step } from './rotation-step.ts'

/** Of those that are waited for, as many are named. */
const MAX_NAMED = 10

const USES: Readonly<Record<UseKind, string>> = {
  AGENT_SVID: 'SVID of the agent itself',
  WORKLOAD_X509_SVID: 'X.509-SVIDs of workloads',
  MINTED_X509_SVID: 'minted X.509-SVIDs',
  WORKLOAD_JWT_SVID: 'JWT-SVIDs of workloads',
  MINTED_JWT_SVID: 'minted JWT-SVIDs',
  DOWNSTREAM_CA: 'CAs of the server below',
  SERVER_SVID: 'SVID of the server itself',
}

export const DONE: Readonly<Record<Step, string>> = {
  prepare: 'Prepared',
  activate: 'Activated',
  taint: 'Tainted',
  revoke: 'Revoked',
}

export function statusText(kind: string, progress: GetProgressResponse): string {
  const { active, prepared, old, follower_count, expired_agent_count, has_upstream } = progress
  return [
    slotText(`Active ${kind} authority`, active, follower_count),
    slotText(`Prepared ${kind} authority`, prepared, follower_count),
    slotText(`Old ${kind} authority`, old, follower_count),
    has_upstream ? 'Their roots are those of the upstream authority\n' : '',
    expired_agent_count > 0
      ? `${expired_agent_count} agents whose SVID has expired are not waited for\n`
      : '',
  ].join('')
}

export function slotText(title: string, standing: Standing | null, followers: number): string {
  if (standing === null) return `${title}: none\n`
  const { authority_id, expires_at, tainted, behind_count, use_count, unknown_until } = standing
  return [
    `${title}: ${authority_id}${tainted ? ' (tainted)' : ''}\n`,
    `  ends at ${time(expires_at)}\n`,
    `  known to ${followers - behind_count} of ${followers} agents and servers below\n`,
    `  in use: ${use_count === 0 ? 'by nothing that is known' : `${use_count} times`}\n`,
    unknown_until === 0 ? '' : `  ${unknownText(unknown_until)}\n`,
  ].join('')
}

/** What is to be done, as a sentence. */
export function decisionText(decision: Decision): string {
  switch (decision.kind) {
    case 'take':
      return `Next: ${decision.step} ${decision.authorityId || 'a new authority'}\n`
    case 'wait':
      return waitText(decision)
    case 'done':
      return doneText(decision.why)
    default:
      return decision satisfies never
  }
}

export function doneText(why: (Decision & { kind: 'done' })['why']): string {
  switch (why) {
    case 'as-far-as-asked':
      return 'Done as far as -until says\n'
    case 'gone':
      return 'Done: the authority is out of the bundle\n'
    case 'upstream':
      return 'Done: its root is the upstream authority’s, and is tainted and revoked there\n'
    default:
      return why satisfies never
  }
}

function waitText({ reason, standing }: Decision & { kind: 'wait' }): string {
  return reason === 'unheard' ? unheardText(standing) : usesText(standing)
}

function unheardText({ authority_id, behind, behind_count, tainted }: Standing): string {
  const news = tainted ? 'is tainted' : 'is in the bundle'
  const title = `Waiting for ${behind_count} that were not yet told that ${authority_id} ${news}:\n`
  const lines = behind.slice(0, MAX_NAMED).map(({ spiffe_id, handed_at }) => {
    const last = handed_at === 0 ? 'not heard of since the server started' : time(handed_at)
    return `  ${spiffe_id}, last bundle: ${last}\n`
  })
  return title + lines.join('') + moreText(behind_count - lines.length)
}

function usesText({ authority_id, uses, use_count, unknown_until }: Standing): string {
  const title = `Waiting until nothing signed by ${authority_id} is in use:\n`
  const lines = uses.slice(0, MAX_NAMED).map(({ kind, holder, count, until }) => {
    return `  ${holder}: ${count} ${USES[kind]}, until ${time(until)}\n`
  })
  const named = uses.slice(0, MAX_NAMED).reduce((sum, { count }) => sum + count, 0)
  const unknown = unknown_until === 0 ? '' : `  ${unknownText(unknown_until)}\n`
  return title + lines.join('') + moreText(use_count - named) + unknown
}

function unknownText(until: number): string {
  return `perhaps more, signed before what this server remembers, until ${time(until)}`
}

const moreText = (more: number) => (more > 0 ? `  and ${more} more\n` : '')
const time = (seconds: number) => formatUtc(fromUnixSeconds(seconds))
