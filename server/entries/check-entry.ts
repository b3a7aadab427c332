/**
 * The rules an entry as a whole must keep, whichever way it came about. SPIRE reports them from its
 * datastore, with these messages after "failed to create entry: " or "failed to update entry: ".
 *
 * @see SPIRE API §6 — `Entry`
 */
import { IdentityError } from '../../spiffe/error.ts'
import { selectorType } from '../../spiffe/selector.ts'
import type { EntryFields } from './entry.ts'

/** SPIRE names the layer that refuses; scripts look for its words. */
const LAYER = 'datastore-validation: '
const MAX_ENTRY_ID_BYTES = 255
const ENTRY_ID = /^[A-Za-z0-9._-]*$/

/** Checks an ID an operator chose; an ID of ours needs none. @throws IdentityError ENTRY_INVALID */
export function checkEntryId(id: string): void {
  if (Buffer.byteLength(id) > MAX_ENTRY_ID_BYTES) {
    throw refusal(`entry ID too long, at most ${MAX_ENTRY_ID_BYTES} characters are allowed`)
  }
  if (!ENTRY_ID.test(id)) throw refusal('entry ID contains invalid characters')
}

/** @throws IdentityError ENTRY_INVALID */
export function checkEntryFields(fields: EntryFields): void {
  const { selectors, storeSvid, disableX509SvidPrefetch } = fields
  if (selectors.length === 0) throw refusal('missing selector list')
  if (storeSvid && disableX509SvidPrefetch) {
    throw new IdentityError(
      'ENTRY_INVALID',
      `${LAYER}specifying cache behaviour is incompatible with storable SVIDs`,
    )
  }
  if (storeSvid && new Set(selectors.map(selectorType)).size > 1) {
    throw refusal('selector types must be the same when store SVID is enabled')
  }
  checkTtl('X509SvidTtl', fields.x509SvidTtlSeconds)
  checkTtl('JwtSvidTtl', fields.jwtSvidTtlSeconds)
}

function checkTtl(name: string, seconds: number): void {
  if (!(Number.isSafeInteger(seconds) && seconds >= 0)) {
    throw refusal(`${name} is not set: expected 0 or more seconds, got ${seconds}`)
  }
}

function refusal(why: string): IdentityError {
  return new IdentityError('ENTRY_INVALID', `${LAYER}invalid registration entry: ${why}`)
}
