/** What the log says of authorities, with the messages and fields that SPIRE's log has. */
import type { Log } from '../../log/open-log.ts'
import type { AuthorityEvents } from './authorities.ts'
import type { RotationMemory } from './rotation-memory.ts'
import type { Authority } from './slots.ts'

const AUTHORITY = { 'X509 CA': 'X.509 authority', 'JWT key': 'JWT authority' } as const

export function authorityLog(
  what: 'X509 CA' | 'JWT key',
  log: Pick<Log, 'info' | 'warn'>,
): AuthorityEvents<Authority> {
  return {
    onPrepared: (authority) => log.info(fieldsOf(authority), `${what} prepared`),
    onActivated: (authority) => log.info(fieldsOf(authority), `${what} activated`),
    onTainted: (id) =>
      log.info({ local_authority_id: id }, `${AUTHORITY[what]} tainted successfully`),
    onRevoked: (id) =>
      log.info({ local_authority_id: id }, `${AUTHORITY[what]} revoked successfully`),
    onKeyLost: (authority) =>
      log.warn(
        fieldsOf(authority),
        `${what} is not used any more: its key is not in the key store`,
      ),
  }
}

/** The same events, told to the memory of rotations too. */
export function remembering<A extends Authority>(
  events: AuthorityEvents<A>,
  memory: RotationMemory | undefined,
): AuthorityEvents<A> {
  return {
    ...events,
    onPrepared(authority) {
      memory?.noteMade(authority.id)
      events.onPrepared(authority)
    },
    onActivated(authority) {
      memory?.noteActivated(authority.id)
      events.onActivated(authority)
    },
  }
}

function fieldsOf({ id, keySlot, issuedAt, expiresAt }: Authority) {
  return {
    local_authority_id: id,
    slot: keySlot,
    issued_at: issuedAt.toISOString(),
    expiration: expiresAt.toISOString(),
  }
}
