import { expect, test } from 'vitest'
import { parseBundleMap } from '../../../spiffe/bundle/bundle-map.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { refusalOf } from '../refusal.ts'

const one = '{"keys":[],"spiffe_sequence":3,"spiffe_refresh_hint":60}'

test('bundles stay apart, and their refresh hints are ignored', () => {
  const map = parseBundleMap(`{"trust_domains":{"a.org":${one},"b.org":{"keys":[]}}}`)
  expect([...map.keys()]).toEqual(['a.org', 'b.org'])
  const first = map.get(parseTrustDomain('a.org'))
  expect([first?.trustDomain, first?.sequenceNumber, first?.refreshHintSeconds]).toEqual([
    'a.org',
    3,
    0,
  ])
})

test.for([
  ['a trust domain twice', `{"trust_domains":{"a.org":${one},"a.org":${one}}}`, 'twice'],
  ['no trust domains', '{}', 'no object "trust_domains"'],
  ['a list of them', '{"trust_domains":[]}', 'no object "trust_domains"'],
  ['an ID for a name', `{"trust_domains":{"spiffe://a.org":${one}}}`, 'not a trust domain name'],
  ['a bundle that is none', '{"trust_domains":{"a.org":[]}}', 'not a trust domain name'],
  ['a broken bundle', '{"trust_domains":{"a.org":{}}}', 'no list "keys"'],
  ['a broken name', `{"trust_domains":{"A.org":${one}}}`, 'not a trust domain'],
] as const)('refuses %s', ([, text, why]) => {
  expect(refusalOf(() => parseBundleMap(text))).toContain(why)
})

test('refuses more trust domains than one federates with', () => {
  const many = Object.fromEntries(Array.from({ length: 1001 }, (_, at) => [`d${at}`, { keys: [] }]))
  expect(refusalOf(() => parseBundleMap(JSON.stringify({ trust_domains: many })))).toContain(
    'more than 1000 trust domains',
  )
})
