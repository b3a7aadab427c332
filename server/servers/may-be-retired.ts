/**
 * Decides whether an authority may be tainted or revoked in the whole trust domain: no server may sign with it, now or
 * later. It fails closed: a server that does not answer might, until an operator says that it is gone for good.
 */
import { IdentityError } from '../../spiffe/error.ts'
import type { Overview, ServerOverview } from './overview.ts'

/** @returns whose it is. @throws IdentityError PRECONDITION_FAILED saying which server stands against it, NOT_FOUND */
export function mayBeRetired(
  id: string,
  { servers, others }: Overview,
  leftOut: readonly string[],
): 'here' | 'other' {
  for (const one of servers) {
    const { key } = one.server
    const isOwner = ownsAny(one, id)
    switch (one.state) {
      case 'here':
      case 'answering':
        if (!isOwner) break
        if (one.old?.authority.id !== id) {
          throw refusal(`authority ${id} signs, or is about to sign, at server ${key}`)
        }
        return one.state === 'here' ? 'here' : 'other'
      case 'mute':
        throw refusal(`server ${key} lives and does not answer; try again`)
      case 'silent':
        if (leftOut.includes(key)) break
        throw refusal(
          `server ${key} has not been seen for ${Math.round(one.server.seenMsAgo / 1_000)} s and may come back; start it, or say that it is gone for good: -without ${key}`,
        )
      case 'stopped':
        // Fails closed: what cannot be read may be anything.
        if ((!isOwner && one.server.document !== undefined) || leftOut.includes(key)) break
        throw refusal(
          `authority ${id} is${isOwner ? '' : ', for all that can be read,'} that of server ${key}, which is stopped; start it, or say that it is gone for good: -without ${key}`,
        )
      default:
        one.state satisfies never
    }
  }
  const isKnown =
    servers.some((one) => ownsAny(one, id)) || others.some(({ authority }) => authority.id === id)
  if (isKnown) return 'other'
  throw new IdentityError('NOT_FOUND', `authority ${id} is not in the bundle`)
}

function ownsAny({ prepared, active, old }: ServerOverview, id: string): boolean {
  return [prepared, active, old].some((progress) => progress?.authority.id === id)
}

function refusal(message: string): IdentityError {
  return new IdentityError('PRECONDITION_FAILED', message)
}
