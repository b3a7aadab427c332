import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromWireEntry } from '../../../agent/cache/entry.ts'
import type { Entry, EntryInput } from '../../../proto/gen/spire/api/types/Entry.ts'
import { entryApi } from '../../../proto/load.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { parseTrustDomain, trustDomainOf } from '../../../spiffe/id.ts'
import { wireEntry } from '../../fakes/fake-server.ts'

const trustDomain = parseTrustDomain('example.org')
const { responseDeserialize } = entryApi().service.GetEntry

/** What gRPC makes of the bytes of an entry. */
const received = (...args: Parameters<typeof wireEntry>): Entry => {
  const { responseSerialize } = entryApi().service.GetEntry
  return responseDeserialize(responseSerialize(wireEntry(...args)))
}

test('an entry is taken with all that the agent needs of it', () => {
  const wire = received('a', {
    hint: 'db',
    federates_with: ['partner.org', 'spiffe://other.org'],
    revision_number: 3,
    created_at: 7,
    store_svid: true,
    additional_attributes: { disable_x509_svid_prefetch: true, jwt_svid_include_jti: true },
  })
  expect(fromWireEntry(wire, trustDomain)).toEqual({
    entryId: 'a',
    id: 'spiffe://example.org/a',
    hint: 'db',
    createdAt: 7,
    federatesWith: ['partner.org', 'other.org'],
    selectors: ['unix:uid:0'],
    revision: 3,
    storeSvid: true,
    prefetch: false,
    jti: true,
    privileged: false,
  })
})

test('an entry of an older server, without attributes, is prefetched and has no token IDs', () => {
  expect(fromWireEntry(received('a'), trustDomain)).toMatchObject({ prefetch: true, jti: false })
})

test.for<[string, EntryInput]>([
  ['without an ID of its own', { id: '' }],
  ['without a SPIFFE ID', { spiffe_id: null }],
  ['with a bad SPIFFE ID', { spiffe_id: { trust_domain: 'example.org', path: '/a//b' } }],
  ['of another trust domain', { spiffe_id: { trust_domain: 'partner.org', path: '/a' } }],
  ['with a bad selector', { selectors: [{ type: '', value: 'x' }] }],
  ['that federates with nonsense', { federates_with: ['Not A Domain'] }],
])('refuses an entry %s', ([, change]) => {
  expect(() => fromWireEntry(received('a', change), trustDomain)).toThrow(IdentityError)
})

test('whatever bytes a server sends as an entry, it is refused or of our trust domain', () => {
  const text = fc.oneof(fc.string(), fc.constantFrom('', 'a', 'example.org', '/a', 'unix', 'uid:0'))
  const wires = fc.record({
    id: text,
    spiffe_id: fc.option(fc.record({ trust_domain: text, path: text }), { nil: null }),
    selectors: fc.array(fc.record({ type: text, value: text }), { maxLength: 3 }),
    federates_with: fc.array(text, { maxLength: 2 }),
    hint: text,
    revision_number: fc.maxSafeInteger(),
    created_at: fc.maxSafeInteger(),
  })
  fc.assert(
    fc.property(wires, (change) => {
      try {
        const entry = fromWireEntry(received('x', change), trustDomain)
        expect(trustDomainOf(entry.id)).toBe(trustDomain)
        expect(entry.entryId).not.toBe('')
      } catch (error) {
        expect(error).toBeInstanceOf(IdentityError)
      }
    }),
  )
})
