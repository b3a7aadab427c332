import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ALL_FIELDS } from '../../../server/entries/entry-mask.ts'
import {
  type EntryDraft,
  parseEntryChange,
  parseNewEntry,
  parseSelectorList,
} from '../../../server/entries/parse-entry.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { draft, exampleOrg, idOf, newEntry, selectorsOf } from './sample-entry.ts'

const parse = (fields: Partial<EntryDraft>) => parseNewEntry(draft(fields), exampleOrg)

const spiffeId = (path: string, trustDomain = 'example.org') => ({
  spiffeId: { trustDomain, path },
})
const parentId = (path: string, trustDomain = 'example.org') => ({
  parentId: { trustDomain, path },
})

const GRAMMAR =
  'path segment characters are limited to letters, numbers, dots, dashes, and underscores'
const NAME_GRAMMAR =
  'trust domain characters are limited to lowercase letters, numbers, dots, dashes, and underscores'

describe('refuses, with the words of SPIRE,', () => {
  test.for<[string, Partial<EntryDraft>, string]>([
    [
      'an entry without parent',
      { parentId: undefined },
      'invalid parent ID: request must specify SPIFFE ID',
    ],
    [
      'an entry without SPIFFE ID',
      { spiffeId: undefined },
      'invalid spiffe ID: request must specify SPIFFE ID',
    ],
    [
      'an ID of another trust domain',
      spiffeId('/web', 'other.org'),
      'invalid spiffe ID: "spiffe://other.org/web" is not a member of trust domain "example.org"',
    ],
    [
      'the ID of the trust domain itself',
      spiffeId(''),
      'invalid spiffe ID: "spiffe://example.org" is not a workload in trust domain "example.org"; path is empty',
    ],
    ['a path without slash', spiffeId('web'), 'invalid spiffe ID: path must have a leading slash'],
    ['a trailing slash', spiffeId('/web/'), 'invalid spiffe ID: path cannot have a trailing slash'],
    [
      'an empty segment',
      spiffeId('/web//a'),
      'invalid spiffe ID: path cannot contain empty segments',
    ],
    ['dot segments', spiffeId('/web/../a'), 'invalid spiffe ID: path cannot contain dot segments'],
    ['a blank in the path', spiffeId('/a b'), `invalid spiffe ID: ${GRAMMAR}`],
    ['an umlaut in the path', spiffeId('/ä'), `invalid spiffe ID: ${GRAMMAR}`],
    [
      'a reserved path',
      spiffeId('/spire/agent/x'),
      'invalid spiffe ID: "spiffe://example.org/spire/agent/x" is not a workload in trust domain "example.org"; path is in the reserved namespace',
    ],
    [
      'the root of the reserved paths',
      spiffeId('/spire'),
      'invalid spiffe ID: "spiffe://example.org/spire" is not a workload in trust domain "example.org"; path is in the reserved namespace',
    ],
    ['no trust domain', spiffeId('/web', ''), 'invalid spiffe ID: trust domain is missing'],
    [
      'a trust domain in upper case',
      spiffeId('/web', 'Example.org'),
      `invalid spiffe ID: ${NAME_GRAMMAR}`,
    ],
    [
      'an ID longer than 2048 bytes',
      spiffeId(`/${'x'.repeat(2048)}`),
      'invalid spiffe ID: it is longer than 2048 bytes',
    ],
    [
      'a parent of another trust domain',
      parentId('/a', 'other.org'),
      'invalid parent ID: "spiffe://other.org/a" is not a member of trust domain "example.org"',
    ],
    [
      'a parent without path',
      parentId(''),
      'invalid parent ID: "spiffe://example.org" is not a member of trust domain "example.org"; path is empty',
    ],
    ['no selectors', { selectors: [] }, 'selector list is empty'],
    ['a selector without type', { selectors: [{ type: '', value: 'a' }] }, 'missing selector type'],
    [
      'a selector type with a colon',
      { selectors: [{ type: 'a:b', value: 'c' }] },
      "selector type contains ':'",
    ],
    [
      'a selector without value',
      { selectors: [{ type: 'a', value: '' }] },
      'missing selector value',
    ],
    [
      'a DNS name that is none',
      { dnsNames: ['ok.example', '*'] },
      'invalid DNS name: wildcard must be first label',
    ],
    [
      'a federated trust domain that is none',
      { federatesWith: ['Foo'] },
      `invalid federated trust domain: ${NAME_GRAMMAR}`,
    ],
    [
      'an empty federated trust domain',
      { federatesWith: [''] },
      'invalid federated trust domain: trust domain is missing',
    ],
    [
      'a hint of 1025 bytes',
      { hint: 'x'.repeat(1025) },
      'hint is too long, max length is 1024 characters',
    ],
    [
      'a hint of 513 two-byte characters',
      { hint: 'é'.repeat(513) },
      'hint is too long, max length is 1024 characters',
    ],
  ])('%s', ([, fields, message]) => {
    expect(() => parse(fields)).toThrow(expect.objectContaining({ name: 'IdentityError', message }))
  })
})

test.for<[string, Partial<EntryDraft>, RegExp]>([
  [
    'more than 1,000 selectors',
    { selectors: Array.from({ length: 1001 }, (_, i) => ({ type: 'a', value: `${i}` })) },
    /1001 selectors given, at most 1000/,
  ],
  [
    'a selector of more than 64 KiB',
    { selectors: [{ type: 'a', value: 'x'.repeat(65_536) }] },
    /longer than 65536 bytes/,
  ],
  [
    'more than 1,000 DNS names',
    { dnsNames: Array.from({ length: 1001 }, (_, i) => `a${i}.example`) },
    /1001 DNS names given/,
  ],
  [
    'more than 1,000 federated trust domains',
    { federatesWith: Array.from({ length: 1001 }, (_, i) => `a${i}.example`) },
    /1001 federated trust domains given/,
  ],
  ['an expiry beyond the calendar', { expiresAt: 8.64e12 + 1 }, /out of range/],
  ['an expiry that is no number', { expiresAt: Number.NaN }, /out of range/],
])('bounds what SPIRE leaves open: refuses %s', ([, fields, message]) => {
  expect(() => parse(fields)).toThrow(message)
})

test('reads every field', () => {
  const parsed = parse({
    id: 'chosen',
    parentId: { trustDomain: 'example.org', path: '/spire/server' },
    selectors: [
      { type: 'k8s', value: 'ns:shop' },
      { type: 'k8s', value: 'pod-label:a:b' },
    ],
    x509SvidTtlSeconds: 60,
    jwtSvidTtlSeconds: 30,
    federatesWith: ['partner.org'],
    admin: true,
    downstream: true,
    expiresAt: 1_900_000_000,
    dnsNames: ['*.shop.svc', 'cart.shop.svc'],
    storeSvid: true,
    hint: 'internal',
    jwtSvidIncludeJti: true,
  })
  expect(parsed).toEqual({
    id: 'chosen',
    spiffeId: 'spiffe://example.org/web',
    parentId: 'spiffe://example.org/spire/server',
    selectors: ['k8s:ns:shop', 'k8s:pod-label:a:b'],
    x509SvidTtlSeconds: 60,
    jwtSvidTtlSeconds: 30,
    federatesWith: ['partner.org'],
    admin: true,
    downstream: true,
    expiresAt: new Date('2030-03-17T17:46:40Z'),
    dnsNames: ['*.shop.svc', 'cart.shop.svc'],
    storeSvid: true,
    hint: 'internal',
    disableX509SvidPrefetch: false,
    jwtSvidIncludeJti: true,
  })
})

test('reads what is not given as SPIRE does', () => {
  expect(parse({})).toEqual(newEntry())
})

test('keeps the first of equal selectors, DNS names and trust domains', () => {
  const parsed = parse({
    selectors: [
      { type: 'a', value: '2' },
      { type: 'a', value: '1' },
      { type: 'a', value: '2' },
    ],
    dnsNames: ['b.example', 'a.example', 'b.example'],
    federatesWith: ['partner.org', 'spiffe://partner.org'],
  })
  expect(parsed.selectors).toEqual(['a:2', 'a:1'])
  expect(parsed.dnsNames).toEqual(['b.example', 'a.example'])
  expect(parsed.federatesWith).toEqual(['partner.org'])
})

test('reads a trust domain given as a SPIFFE ID, as SPIRE does', () => {
  expect(parse(spiffeId('/web', 'spiffe://example.org')).spiffeId).toBe(idOf('/web'))
  expect(parse({ federatesWith: ['spiffe://partner.org/x'] }).federatesWith).toEqual([
    'partner.org',
  ])
})

test('takes a hint of exactly 1024 bytes', () => {
  expect(parse({ hint: 'é'.repeat(512) }).hint).toHaveLength(512)
})

test('an update reads only the fields its mask names', () => {
  const broken = draft({ spiffeId: undefined, parentId: undefined, selectors: [], hint: 'new' })
  expect(parseEntryChange(broken, exampleOrg, new Set(['hint'] as const))).toEqual({ hint: 'new' })
})

test('an update with an empty mask changes nothing', () => {
  expect(parseEntryChange(draft(), exampleOrg, new Set())).toEqual({})
})

test.for(['spiffeId', 'parentId', 'selectors'] as const)(
  'an update whose mask names %s must give it',
  (field) => {
    const without = draft({ spiffeId: undefined, parentId: undefined, selectors: [] })
    expect(() => parseEntryChange(without, exampleOrg, new Set([field]))).toThrow(IdentityError)
  },
)

test('the mask of all fields names every field of an entry', () => {
  const { id: _, ...fields } = newEntry()
  expect([...ALL_FIELDS].sort()).toEqual(Object.keys(fields).sort())
})

test('a list of selectors for a filter may be empty: the filter decides', () => {
  expect(parseSelectorList([])).toEqual([])
  expect(parseSelectorList([{ type: 'a', value: 'b' }])).toEqual(selectorsOf('a:b'))
})

test('whatever a request says, the answer is an entry of our trust domain or a refusal', () => {
  const text = fc.oneof(fc.string(), fc.constantFrom('example.org', '/web', 'a', '*.a.b', '/spire'))
  const parts = fc.record({ trustDomain: text, path: text })
  const anyDraft = fc.record({
    id: text,
    spiffeId: fc.option(parts, { nil: undefined }),
    parentId: fc.option(parts, { nil: undefined }),
    selectors: fc.array(fc.record({ type: text, value: text }), { maxLength: 3 }),
    x509SvidTtlSeconds: fc.integer(),
    jwtSvidTtlSeconds: fc.integer(),
    federatesWith: fc.array(text, { maxLength: 3 }),
    admin: fc.boolean(),
    downstream: fc.boolean(),
    expiresAt: fc.double(),
    dnsNames: fc.array(text, { maxLength: 3 }),
    storeSvid: fc.boolean(),
    hint: text,
    disableX509SvidPrefetch: fc.boolean(),
    jwtSvidIncludeJti: fc.boolean(),
  })
  fc.assert(
    fc.property(anyDraft, (request) => {
      try {
        const parsed = parseNewEntry(request, exampleOrg)
        expect(parsed.spiffeId).toMatch(/^spiffe:\/\/example\.org\/(?!spire(\/|$))/)
        expect(parsed.selectors.length).toBeGreaterThan(0)
      } catch (error) {
        expect(error).toBeInstanceOf(IdentityError)
      }
    }),
  )
})
