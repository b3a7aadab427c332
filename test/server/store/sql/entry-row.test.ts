import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeEntry, decodeInTurn } from '../../../../server/store/sql/entry-row.ts'

const row = {
  ...{ row: 1, id: 'a', spiffe_id: 'spiffe://example.org/a', parent_id: 'spiffe://example.org/p' },
  ...{ selectors: '["unix:uid:1"]', federates_with: '[]', dns_names: '[]', hint: '' },
  ...{ x509_svid_ttl_seconds: 0, jwt_svid_ttl_seconds: 0, admin: 0, downstream: 0 },
  ...{ expires_at: null, store_svid: 0, disable_x509_svid_prefetch: 0, jwt_svid_include_jti: 0 },
  ...{ revision_number: 0, created_at: 1_900_000_000 },
} as const

const someRow = fc
  .record({
    id: fc.string(),
    parent_id: fc.constantFrom('spiffe://example.org/p', 'spiffe://example.org/q'),
    selectors: fc.constantFrom('["unix:uid:1"]', '["unix:uid:2","a:b"]'),
    created_at: fc.constantFrom(0, 1_900_000_000, 1_900_000_001),
    expires_at: fc.constantFrom(null, 0, 1_900_000_000),
  })
  .map((differing) => ({ ...row, ...differing }))

test('rows that are read in turn are the entries that each of them is by itself', () => {
  fc.assert(
    fc.property(fc.array(someRow, { maxLength: 8 }), (rows) => {
      expect(rows.map(decodeInTurn())).toEqual(rows.map(decodeEntry))
    }),
  )
})

test('neighbours with the same parent and time hold one text and one date for both', () => {
  const decode = decodeInTurn()
  const [one, two, other] = [
    decode(row),
    decode({ ...row, id: 'b' }),
    decode({ ...row, created_at: row.created_at + 1 }),
  ]
  expect(two.createdAt).toBe(one.createdAt)
  expect(other.createdAt).not.toBe(one.createdAt)
})
