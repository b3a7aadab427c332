/** Files of `-data`. What is accepted, and how much of it means something, is as with spire-server 1.15.3. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readIds } from '../../../../cli/server/entry/delete.ts'
import { parseEntryFile } from '../../../../cli/server/entry/entry-file.ts'
import { IdentityError } from '../../../../spiffe/error.ts'
import { refusalOf } from '../../refusal.ts'

const least = {
  selectors: [{ type: 'a', value: 'b' }],
  spiffe_id: 'spiffe://example.org/a',
  parent_id: 'spiffe://example.org/p',
}
const parse = (...entries: readonly unknown[]) => parseEntryFile({ entries })

test('reads every member of an entry', () => {
  const { entries, unknown } = parse({
    ...least,
    x509_svid_ttl: 300,
    jwt_svid_ttl: 60,
    federates_with: ['spiffe://td.x', 'other.org'],
    entry_id: 'e',
    admin: true,
    downstream: true,
    entryExpiry: 4_102_444_800,
    dns_names: ['a.b'],
    revision_number: 7,
    store_svid: true,
    hint: 'h',
    created_at: 9,
    additional_attributes: { disable_x509_svid_prefetch: true },
  })
  expect(unknown).toEqual([])
  expect(entries).toEqual([
    {
      id: 'e',
      spiffe_id: { trust_domain: 'example.org', path: '/a' },
      parent_id: { trust_domain: 'example.org', path: '/p' },
      selectors: [{ type: 'a', value: 'b' }],
      x509_svid_ttl: 300,
      jwt_svid_ttl: 60,
      federates_with: ['td.x', 'other.org'],
      admin: true,
      downstream: true,
      expires_at: 4_102_444_800,
      dns_names: ['a.b'],
      revision_number: 7,
      store_svid: true,
      hint: 'h',
      created_at: 9,
      additional_attributes: { disable_x509_svid_prefetch: true, jwt_svid_include_jti: false },
    },
  ])
})

test('reads names in any case, as Go does', () => {
  const { entries } = parseEntryFile({
    Entries: [
      { ...least, SPIFFE_ID: 'spiffe://example.org/b', Selectors: [{ Type: 'x', VALUE: 'y' }] },
    ],
  })
  expect(entries[0]).toMatchObject({
    spiffe_id: { path: '/b' },
    selectors: [{ type: 'x', value: 'y' }],
  })
})

test('takes null for left out, and a file without entries for an empty one', () => {
  expect(
    parse({ ...least, hint: null, admin: null, x509_svid_ttl: null }).entries[0],
  ).toMatchObject({
    hint: '',
    admin: false,
    x509_svid_ttl: 0,
  })
  for (const document of [{}, { entries: null }, { entries: [] }]) {
    expect(parseEntryFile(document).entries).toEqual([])
  }
})

test('names what means nothing with its place', () => {
  const { unknown } = parse(least, {
    ...least,
    ttl: 5,
    selectors: [{ type: 'a', value: 'b', extra: 1 }],
    additional_attributes: { other: true },
  })
  expect(unknown.toSorted()).toEqual([
    'entries[1].additional_attributes.other',
    'entries[1].selectors[0].extra',
    'entries[1].ttl',
  ])
})

test.for([
  [[], 'the document is a list, expected an object'],
  ['x', 'the document is string, expected an object'],
  [null, 'the document is null, expected an object'],
  [{ entries: {} }, 'entries is object, expected a list'],
  [{ entries: [null] }, 'missing registration entry'],
  [{ entries: [{}] }, 'invalid SPIFFE ID: cannot be empty'],
  [{ entries: [{ ...least, spiffe_id: 'x' }] }, 'invalid SPIFFE ID: scheme is missing or invalid'],
  [{ entries: [{ ...least, parent_id: 'x' }] }, 'invalid parent ID: scheme is missing or invalid'],
  [
    { entries: [{ ...least, federates_with: [''] }] },
    'invalid federated trust domain: trust domain is missing',
  ],
  [
    { entries: [least, { ...least, x509_svid_ttl: '5' }] },
    'entries[1].x509_svid_ttl is string, expected a whole number of 32 bits',
  ],
  [
    { entries: [{ ...least, jwt_svid_ttl: 5.5 }] },
    'entries[0].jwt_svid_ttl is 5.5, expected a whole number of 32 bits',
  ],
  [
    { entries: [{ ...least, jwt_svid_ttl: 2 ** 31 }] },
    'entries[0].jwt_svid_ttl is 2147483648, expected a whole number of 32 bits',
  ],
  [
    { entries: [{ ...least, admin: 'true' }] },
    'entries[0].admin is string, expected true or false',
  ],
  [
    { entries: [{ ...least, selectors: [{ type: 1 }] }] },
    'entries[0].selectors[0].type is 1, expected text',
  ],
  [
    { entries: [{ ...least, dns_names: ['a', {}] }] },
    'entries[0].dns_names[1] is object, expected text',
  ],
  [
    { entries: [{ ...least, federates_with: [1] }] },
    'entries[0].federates_with[0] is 1, expected text',
  ],
] as const)('refuses %j', ([document, why]) => {
  expect(refusalOf(() => parseEntryFile(document))).toBe(why)
})

test('refuses in words, whatever the document is', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (document) => {
      for (const read of [
        () => parseEntryFile(document),
        () => parseEntryFile({ entries: [document] }),
        () => readIds(document),
      ]) {
        try {
          read()
        } catch (error) {
          expect(error).toBeInstanceOf(IdentityError)
        }
      }
    }),
  )
})

test.for([
  [{ ids: ['a', 'b'] }, ['a', 'b']],
  [{ ids: [] }, []],
  [{ ids: null }, []],
  [{}, []],
] as const)('reads the IDs to delete of %j', ([document, ids]) => {
  expect(readIds(document)).toEqual(ids)
})

test.for([
  [[], 'the document is no object, expected {"ids": ["…"]}'],
  [null, 'the document is no object, expected {"ids": ["…"]}'],
  [{ ids: 'a' }, 'ids is no list, expected {"ids": ["…"]}'],
  [{ ids: ['a', 5] }, 'ids[1] is no text, expected {"ids": ["…"]}'],
] as const)('refuses the IDs to delete of %j', ([document, why]) => {
  expect(refusalOf(() => readIds(document))).toBe(why)
})
