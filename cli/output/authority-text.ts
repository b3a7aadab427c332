/** One local authority for people: its ID, when it ends, and who vouches for it. */
import type { AuthorityState } from '../../proto/gen/spire/api/server/localauthority/v1/AuthorityState.ts'
import { fromUnixSeconds } from '../../spiffe/clock.ts'
import { formatUtc } from './go-time.ts'

export type AuthorityKind = 'X.509' | 'JWT'

export function authorityText(kind: AuthorityKind, authority: AuthorityState): string {
  return [
    `  Authority ID: ${authority.authority_id}\n`,
    `  Expires at: ${formatUtc(fromUnixSeconds(authority.expires_at))}\n`,
    // Keys of JWT-SVIDs are vouched for by nobody.
    kind === 'X.509' ? upstreamText(authority.upstream_authority_subject_key_id) : '',
  ].join('')
}

function upstreamText(keyId: string): string {
  return keyId === ''
    ? '  Upstream authority ID: No upstream authority\n'
    : `  Upstream authority Subject Key ID: ${keyId}\n`
}
