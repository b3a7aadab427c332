/** SPIFFE IDs as flags and files carry them, refused in the words that SPIRE's commands have. */
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import {
  parseSpiffeId,
  parseTrustDomain,
  pathOf,
  type SpiffeId,
  type TrustDomain,
  trustDomainOf,
} from '../../spiffe/id.ts'

/** Reasons of the grammar that SPIRE says in other words. */
const SAID_OTHERWISE: Readonly<Record<string, (text: string) => string>> = {
  'it is empty': () => 'cannot be empty',
  'scheme is missing or invalid, expected spiffe://': () => 'scheme is missing or invalid',
  'path cannot have empty segments or a trailing slash': (text) =>
    text.slice('spiffe://'.length).includes('//')
      ? 'path cannot contain empty segments'
      : 'path cannot have a trailing slash',
}

/** @throws IdentityError SPIFFE_ID_INVALID with the bare reason */
export function readId(text: string): SpiffeId {
  return withBareReason(text, () => parseSpiffeId(text))
}

/** By its name or by any ID in it, as SPIRE takes it. @throws IdentityError with the bare reason */
export function readTrustDomain(text: string): TrustDomain {
  if (text.includes('://')) return trustDomainOf(readId(text))
  return withBareReason(text, () => parseTrustDomain(text))
}

/** The grammar's messages repeat what was read before they say what is wrong with it. */
function withBareReason<T>(text: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof IdentityError)) throw cause
    const message = reasonOf(cause)
    const reason = message.slice(message.lastIndexOf('": ') + 3)
    throw new IdentityError(cause.code, SAID_OTHERWISE[reason]?.(text) ?? reason, { cause })
  }
}

export function toParts(id: SpiffeId): { trust_domain: string; path: string } {
  return { trust_domain: trustDomainOf(id), path: pathOf(id) }
}
