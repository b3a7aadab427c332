/**
 * Entries as SPIRE's `-data` files carry them. Names of members are compared without case, as Go does; a member
 * that no entry has is named in a warning, a value of the wrong type is refused with its place.
 */
import type { Entry } from '../../../proto/gen/spire/api/types/Entry.ts'
import type { Selector } from '../../../proto/gen/spire/api/types/Selector.ts'
import { IdentityError, reasonOf } from '../../../spiffe/error.ts'
import { flagOf, INT32, INT53, listOf, membersOf, textOf, wholeOf } from '../json-members.ts'
import { readId, readTrustDomain, toParts } from '../spiffe-id.ts'
import { EMPTY_ENTRY } from './entry-flags.ts'

export interface EntryFile {
  readonly entries: readonly Entry[]
  /** Members that mean nothing, each with its place. */
  readonly unknown: readonly string[]
}

/** @param document the parsed JSON @throws IdentityError REQUEST_INVALID or SPIFFE_ID_INVALID */
export function parseEntryFile(document: unknown): EntryFile {
  const unknown: string[] = []
  const root = membersOf(document, '', ['entries'], unknown)
  const entries = listOf(root.get('entries'), 'entries', (value, place) => {
    if (value === null) throw new IdentityError('REQUEST_INVALID', 'missing registration entry')
    return parseEntry(value, place, unknown)
  })
  return { entries, unknown }
}

const MEMBERS = [
  'selectors',
  'parent_id',
  'spiffe_id',
  'x509_svid_ttl',
  'jwt_svid_ttl',
  'federates_with',
  'entry_id',
  'admin',
  'downstream',
  'entryexpiry',
  'dns_names',
  'revision_number',
  'store_svid',
  'hint',
  'created_at',
  'additional_attributes',
] as const

function parseEntry(value: unknown, place: string, unknown: string[]): Entry {
  const members = membersOf(value, place, MEMBERS, unknown)
  const at = (name: (typeof MEMBERS)[number]) => [members.get(name), `${place}.${name}`] as const
  const spiffeId = parsePart('SPIFFE ID', () => readId(textOf(...at('spiffe_id'))))
  const parentId = parsePart('parent ID', () => readId(textOf(...at('parent_id'))))
  const selectors = listOf(...at('selectors'), (one, where) => parseSelector(one, where, unknown))
  const [more, moreAt] = at('additional_attributes')
  return {
    ...EMPTY_ENTRY,
    id: textOf(...at('entry_id')),
    spiffe_id: toParts(spiffeId),
    parent_id: toParts(parentId),
    selectors,
    x509_svid_ttl: wholeOf(...at('x509_svid_ttl'), INT32),
    jwt_svid_ttl: wholeOf(...at('jwt_svid_ttl'), INT32),
    federates_with: listOf(...at('federates_with'), (one, where) =>
      parsePart('federated trust domain', () => readTrustDomain(textOf(one, where))),
    ),
    admin: flagOf(...at('admin')),
    downstream: flagOf(...at('downstream')),
    expires_at: wholeOf(...at('entryexpiry'), INT53),
    dns_names: listOf(...at('dns_names'), textOf),
    revision_number: wholeOf(...at('revision_number'), INT53),
    store_svid: flagOf(...at('store_svid')),
    hint: textOf(...at('hint')),
    created_at: wholeOf(...at('created_at'), INT53),
    ...(more !== undefined &&
      more !== null && { additional_attributes: parseAttributes(more, moreAt, unknown) }),
  }
}

function parseAttributes(value: unknown, place: string, unknown: string[]) {
  const names = ['disable_x509_svid_prefetch', 'jwt_svid_include_jti'] as const
  const members = membersOf(value, place, names, unknown)
  const at = (name: (typeof names)[number]) => flagOf(members.get(name), `${place}.${name}`)
  return {
    disable_x509_svid_prefetch: at('disable_x509_svid_prefetch'),
    jwt_svid_include_jti: at('jwt_svid_include_jti'),
  }
}

function parseSelector(value: unknown, place: string, unknown: string[]): Selector {
  const members = membersOf(value, place, ['type', 'value'], unknown)
  return {
    type: textOf(members.get('type'), `${place}.type`),
    value: textOf(members.get('value'), `${place}.value`),
  }
}

/** @throws IdentityError `invalid <what>: <why>`; values of the wrong type are told with their place instead */
function parsePart<T>(what: string, parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    if (!(cause instanceof IdentityError) || cause.code === 'REQUEST_INVALID') throw cause
    throw new IdentityError(cause.code, `invalid ${what}: ${reasonOf(cause)}`, { cause })
  }
}
