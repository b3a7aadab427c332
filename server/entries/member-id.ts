/**
 * SPIFFE IDs as requests carry them (trust domain and path apart), read and tied to our own trust
 * domain. Refuses foreign IDs, the ID of the trust domain itself, and IDs of the wrong namespace.
 *
 * @see SPIRE behaviour §1 — IDs and reserved paths
 */
import { IdentityError } from '../../spiffe/error.ts'
import {
  isAgentId,
  isReserved,
  parseSpiffeId,
  parseTrustDomain,
  pathOf,
  type SpiffeId,
  spiffeId,
  type TrustDomain,
  trustDomainOf,
} from '../../spiffe/id.ts'

/** `spire.api.types.SPIFFEID`, unchecked. */
export interface IdParts {
  /** The bare name; a SPIFFE ID is read as its trust domain. */
  readonly trustDomain: string
  readonly path: string
}

/** Any ID of our trust domain with a path, reserved ones included. @throws IdentityError SPIFFE_ID_INVALID */
export function parseMemberId(parts: IdParts | undefined, trustDomain: TrustDomain): SpiffeId {
  const id = parseParts(parts)
  mustBeMember(id, trustDomain, 'a member of')
  return id
}

/** An ID a workload may have: nothing under `/spire`. @throws IdentityError SPIFFE_ID_INVALID */
export function parseWorkloadId(parts: IdParts | undefined, trustDomain: TrustDomain): SpiffeId {
  const id = parseParts(parts)
  mustBeMember(id, trustDomain, 'a workload in')
  if (isReserved(id)) {
    throw refusal(
      `"${id}" is not a workload in trust domain "${trustDomain}"; path is in the reserved namespace`,
    )
  }
  return id
}

/** An ID under `/spire/agent/`. @throws IdentityError SPIFFE_ID_INVALID */
export function parseAgentId(parts: IdParts | undefined, trustDomain: TrustDomain): SpiffeId {
  const id = parseParts(parts)
  mustBeMember(id, trustDomain, 'an agent in')
  if (!isAgentId(id)) {
    throw refusal(
      `"${id}" is not an agent in trust domain "${trustDomain}"; path is not in the agent namespace`,
    )
  }
  return id
}

/** A trust domain in a list of a request, by name or by SPIFFE ID; a path after it is dropped, as SPIRE does. */
export function parseTrustDomainName(text: string): TrustDomain {
  if (text.includes('://')) {
    try {
      return trustDomainOf(parseSpiffeId(text))
    } catch (error) {
      throw new IdentityError('TRUST_DOMAIN_INVALID', bareReason(error), { cause: error })
    }
  }
  try {
    return parseTrustDomain(text)
  } catch (error) {
    throw new IdentityError('TRUST_DOMAIN_INVALID', bareReason(error), { cause: error })
  }
}

function parseParts(parts: IdParts | undefined): SpiffeId {
  if (parts === undefined) throw refusal('request must specify SPIFFE ID')
  const { path } = parts
  if (path !== '' && !path.startsWith('/')) throw refusal('path must have a leading slash')
  if (path.endsWith('/')) throw refusal('path cannot have a trailing slash')
  if (path.includes('//')) throw refusal('path cannot contain empty segments')
  const trustDomain = parseTrustDomainName(parts.trustDomain)
  try {
    return spiffeId(trustDomain, path)
  } catch (error) {
    throw new IdentityError('SPIFFE_ID_INVALID', bareReason(error), { cause: error })
  }
}

function mustBeMember(id: SpiffeId, trustDomain: TrustDomain, what: string): void {
  if (trustDomainOf(id) !== trustDomain) {
    throw refusal(`"${id}" is not a member of trust domain "${trustDomain}"`)
  }
  if (pathOf(id) === '') {
    throw refusal(`"${id}" is not ${what} trust domain "${trustDomain}"; path is empty`)
  }
}

/** The grammar's own messages repeat the whole ID first; requests are answered with what is wrong only. */
function bareReason(error: unknown): string {
  if (!(error instanceof IdentityError)) throw error
  return error.message.slice(error.message.lastIndexOf('": ') + 3)
}

function refusal(why: string): IdentityError {
  return new IdentityError('SPIFFE_ID_INVALID', why)
}
