import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  formatRecord,
  type LedgerRecord,
  parseRecord,
} from '../../../server/issue/ledger-record.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'

const holder = parseSpiffeId('spiffe://example.org/spire/agent/a')
const expiresAt = new Date('2026-01-01T01:00:00Z')
const RECORDS: readonly LedgerRecord[] = [
  { kind: 'line', key: 'a b', use: 'downstream-ca', holder, authorityId: 'a', expiresAt, count: 3 },
  {
    ...{ kind: 'line', key: 'a b', use: 'server-svid', holder, authorityId: 'a', expiresAt },
    ...{ count: 3, signedAt: new Date('2026-01-01T00:00:00Z') },
  },
  { kind: 'agent-svid', serialNumber: '1', authorityId: 'a', expiresAt },
  { kind: 'forgotten', authorityId: 'a', expiresAt },
  { kind: 'made', authorityId: 'a' },
  { kind: 'activated', authorityId: 'a', by: 'by-hand' },
]

test('a record is read as it was written, and anything else is no record', () => {
  for (const one of RECORDS) expect(parseRecord(formatRecord(one))).toEqual(one)
  const field = fc.oneof(fc.string(), fc.double(), fc.constantFrom(null, 'line', 'by-hand', -1))
  const kind = fc.constantFrom('line', 'agent-svid', 'forgotten', 'activated', 'closed')
  const almost = fc.tuple(kind, fc.array(field, { maxLength: 8 })).map(([first, rest]) => {
    return JSON.stringify([first, ...rest])
  })
  const isRead = (text: string) => {
    try {
      return parseRecord(text)
    } catch {
      return undefined
    }
  }
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), almost), (text) => {
      const record = isRead(text)
      if (record !== undefined) expect(parseRecord(formatRecord(record))).toEqual(record)
    }),
  )
})

test.for<readonly [string, string]>([
  ['a number', '1'],
  ['an object', '{"kind":"made"}'],
  ['an unknown kind', '["revoked","a"]'],
  ['too few fields', '["made"]'],
  ['too many fields', '["made","a","b"]'],
  ['a time that is none', '["forgotten","a",1e300]'],
  ['a time as text', '["forgotten","a","2026"]'],
  ['a holder that is no SPIFFE ID', '["line","k","server-svid","web","a",1,1]'],
  ['a use that is none', '["line","k","other","spiffe://example.org/w","a",1,1]'],
  ['a moment that is none', '["line","k","server-svid","spiffe://example.org/w","a",1,1,"2026"]'],
  ['fields beyond the moment', '["line","k","server-svid","spiffe://example.org/w","a",1,1,1,1]'],
  ['a count of none', '["line","k","server-svid","spiffe://example.org/w","a",1,0]'],
])('%s is no record', ([, line]) => {
  expect(() => parseRecord(line)).toThrow()
})
