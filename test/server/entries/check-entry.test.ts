import { expect, test } from 'vitest'
import { checkEntryFields, checkEntryId } from '../../../server/entries/check-entry.ts'
import type { EntryFields } from '../../../server/entries/entry.ts'
import { applyChange } from '../../../server/entries/entry-mask.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { entry, newEntry, selectorsOf } from './sample-entry.ts'

const invalid = (why: string) =>
  new IdentityError('ENTRY_INVALID', `datastore-validation: invalid registration entry: ${why}`)

test.for<[string, string, string]>([
  [
    'longer than 255 characters',
    'x'.repeat(256),
    'entry ID too long, at most 255 characters are allowed',
  ],
  ['with a blank', 'a b', 'entry ID contains invalid characters'],
  ['with a slash', 'a/b', 'entry ID contains invalid characters'],
  ['with a letter beyond ASCII', 'é', 'entry ID contains invalid characters'],
  ['with a line end', 'a\n', 'entry ID contains invalid characters'],
])('refuses an entry ID %s', ([, id, why]) => {
  expect(() => checkEntryId(id)).toThrow(invalid(why))
})

test.for(['a', 'x'.repeat(255), '6a5cb3cf-5b5e-4a7e-9d6d-000000000000', 'scm.prod_1', '..'])(
  'takes the entry ID %s',
  (id) => {
    expect(() => checkEntryId(id)).not.toThrow()
  },
)

test.for<[string, Partial<EntryFields>, string]>([
  ['no selectors', { selectors: [] }, 'missing selector list'],
  [
    'selectors of several types with storable SVIDs',
    { selectors: selectorsOf('aws:a', 'gcp:b'), storeSvid: true },
    'selector types must be the same when store SVID is enabled',
  ],
  [
    'a negative X.509 lifetime',
    { x509SvidTtlSeconds: -1 },
    'X509SvidTtl is not set: expected 0 or more seconds, got -1',
  ],
  [
    'a negative JWT lifetime',
    { jwtSvidTtlSeconds: -1 },
    'JwtSvidTtl is not set: expected 0 or more seconds, got -1',
  ],
  [
    'a lifetime that is no number',
    { jwtSvidTtlSeconds: Number.NaN },
    'JwtSvidTtl is not set: expected 0 or more seconds, got NaN',
  ],
])('refuses %s', ([, fields, why]) => {
  expect(() => checkEntryFields(newEntry(fields))).toThrow(invalid(why))
})

test('refuses to store SVIDs that are not prefetched', () => {
  const both = newEntry({ storeSvid: true, disableX509SvidPrefetch: true })
  expect(() => checkEntryFields(both)).toThrow(
    'specifying cache behaviour is incompatible with storable SVIDs',
  )
})

test('takes storable SVIDs whose selectors are of one type', () => {
  const stored = newEntry({ storeSvid: true, selectors: selectorsOf('aws:a', 'aws:b') })
  expect(() => checkEntryFields(stored)).not.toThrow()
})

test('a change replaces its own fields and leaves the others', () => {
  const current = entry('e', { hint: 'old', admin: true })
  expect(applyChange(current, { hint: 'new' })).toEqual({ ...current, hint: 'new' })
})

test('a change can take the expiry away', () => {
  const current = entry('e', { expiresAt: new Date(0) })
  expect(applyChange(current, { expiresAt: undefined }).expiresAt).toBeUndefined()
})

test('a change that is fine alone is refused when it breaks a rule with the fields that stay', () => {
  const current = entry('e', { selectors: selectorsOf('aws:a', 'gcp:b') })
  expect(() => applyChange(current, { storeSvid: true })).toThrow(/selector types must be the same/)
})
