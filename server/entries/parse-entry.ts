/**
 * Reads what an operator wrote into an entry. Refuses IDs of other trust domains and reserved ones,
 * empty selector lists, names no certificate may carry and everything out of bounds; the messages
 * are those of SPIRE wherever it has one.
 *
 * @see SPIRE API §3 — `BatchCreateEntry` and `BatchUpdateEntry`
 */
import { fromUnixSeconds } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import { type Selector, selector } from '../../spiffe/selector.ts'
import { checkDnsName } from './dns-name.ts'
import type { EntryChange, EntryFields, NewEntry } from './entry.ts'
import { ALL_FIELDS, type EntryMask } from './entry-mask.ts'
import { type IdParts, parseMemberId, parseTrustDomainName, parseWorkloadId } from './member-id.ts'

/** An entry as a request carries it, unchecked; empty strings and zeros are "not given". */
export interface EntryDraft {
  readonly id: string
  readonly spiffeId: IdParts | undefined
  readonly parentId: IdParts | undefined
  readonly selectors: readonly SelectorDraft[]
  readonly x509SvidTtlSeconds: number
  readonly jwtSvidTtlSeconds: number
  readonly federatesWith: readonly string[]
  readonly admin: boolean
  readonly downstream: boolean
  /** Unix seconds, 0 for never. */
  readonly expiresAt: number
  readonly dnsNames: readonly string[]
  readonly storeSvid: boolean
  readonly hint: string
  readonly disableX509SvidPrefetch: boolean
  readonly jwtSvidIncludeJti: boolean
}

export interface SelectorDraft {
  readonly type: string
  readonly value: string
}

const MAX_HINT_BYTES = 1024
/** SPIRE sets none; these keep one entry far below the 4 MiB of a gRPC message. */
const MAX_SELECTORS = 1_000
const MAX_SELECTOR_BYTES = 64 * 1024
const MAX_DNS_NAMES = 1_000
const MAX_FEDERATED_TRUST_DOMAINS = 1_000
/** The last second a `Date` can hold. */
const MAX_UNIX_SECONDS = 8.64e12

/**
 * Reads a whole entry. The rules between fields are left to `checkEntryId` and `checkEntryFields`.
 * @throws IdentityError of the codes *_INVALID; SPIRE puts "failed to convert entry: " before the message
 */
export function parseNewEntry(draft: EntryDraft, trustDomain: TrustDomain): NewEntry {
  const fields = parseEntryChange(draft, trustDomain, ALL_FIELDS)
  // With the mask of all fields every one of them has been read.
  return { ...(fields as EntryFields), id: draft.id === '' ? undefined : draft.id }
}

/** Reads the fields the mask names; others may hold anything. @throws as `parseNewEntry` */
export function parseEntryChange(
  draft: EntryDraft,
  trustDomain: TrustDomain,
  mask: EntryMask,
): EntryChange {
  const readers: { readonly [F in keyof EntryFields]: () => EntryFields[F] } = {
    parentId: () => within('invalid parent ID', () => parseMemberId(draft.parentId, trustDomain)),
    spiffeId: () => within('invalid spiffe ID', () => parseWorkloadId(draft.spiffeId, trustDomain)),
    admin: () => draft.admin,
    dnsNames: () => parseDnsNames(draft.dnsNames),
    downstream: () => draft.downstream,
    expiresAt: () => parseExpiry(draft.expiresAt),
    federatesWith: () => parseFederatesWith(draft.federatesWith),
    selectors: () => parseSelectors(draft.selectors),
    storeSvid: () => draft.storeSvid,
    x509SvidTtlSeconds: () => draft.x509SvidTtlSeconds,
    jwtSvidTtlSeconds: () => draft.jwtSvidTtlSeconds,
    hint: () => parseHint(draft.hint),
    disableX509SvidPrefetch: () => draft.disableX509SvidPrefetch,
    jwtSvidIncludeJti: () => draft.jwtSvidIncludeJti,
  }
  const read = Object.entries(readers)
    .filter(([field]) => mask.has(field as keyof EntryFields)) // the keys are those of the type above
    .map(([field, reader]) => [field, reader()] as const)
  return Object.fromEntries(read)
}

/** Selectors of an entry or a filter, each once. @throws IdentityError SELECTOR_INVALID */
export function parseSelectorList(drafts: readonly SelectorDraft[]): readonly Selector[] {
  mustNotExceed(drafts.length, MAX_SELECTORS, 'selectors')
  return unique(
    drafts.map(({ type, value }) => {
      const parsed = selector(type, value)
      if (Buffer.byteLength(parsed) > MAX_SELECTOR_BYTES) {
        throw new IdentityError(
          'SELECTOR_INVALID',
          `selector of type ${JSON.stringify(type.slice(0, 256))} is longer than ${MAX_SELECTOR_BYTES} bytes`,
        )
      }
      return parsed
    }),
  )
}

function parseSelectors(drafts: readonly SelectorDraft[]): readonly Selector[] {
  if (drafts.length === 0) throw refusal('selector list is empty')
  return parseSelectorList(drafts)
}

function parseDnsNames(names: readonly string[]): readonly string[] {
  mustNotExceed(names.length, MAX_DNS_NAMES, 'DNS names')
  return unique(
    names.map((name) => {
      within('invalid DNS name', () => checkDnsName(name))
      return name
    }),
  )
}

function parseFederatesWith(names: readonly string[]): readonly TrustDomain[] {
  mustNotExceed(names.length, MAX_FEDERATED_TRUST_DOMAINS, 'federated trust domains')
  return unique(
    names.map((name) => within('invalid federated trust domain', () => parseTrustDomainName(name))),
  )
}

function parseExpiry(unixSeconds: number): Date | undefined {
  if (!(Math.abs(unixSeconds) <= MAX_UNIX_SECONDS)) {
    throw refusal(`expiry ${unixSeconds} is out of range, expected unix seconds`)
  }
  return unixSeconds === 0 ? undefined : fromUnixSeconds(unixSeconds)
}

function parseHint(hint: string): string {
  if (Buffer.byteLength(hint) > MAX_HINT_BYTES) {
    throw refusal(`hint is too long, max length is ${MAX_HINT_BYTES} characters`)
  }
  return hint
}

function mustNotExceed(count: number, limit: number, what: string): void {
  if (count > limit) throw refusal(`${count} ${what} given, at most ${limit} are allowed`)
}

function within<T>(context: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    throw new IdentityError(error.code, `${context}: ${error.message}`, { cause: error })
  }
}

function unique<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values)]
}

function refusal(why: string): IdentityError {
  return new IdentityError('ENTRY_INVALID', why)
}
