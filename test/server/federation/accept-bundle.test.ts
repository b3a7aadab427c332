import { beforeAll, expect, test } from 'vitest'
import { acceptBundle } from '../../../server/federation/accept-bundle.ts'
import { type Bundle, emptyBundle } from '../../../spiffe/bundle.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { type TestCa, testCa } from '../../fakes/ca.ts'

let mine: TestCa
let next: TestCa
let other: TestCa
let nameless: TestCa

beforeAll(async () => {
  mine = await testCa({ trustDomain: 'partner.org' })
  next = await testCa({ trustDomain: 'partner.org' })
  other = await testCa({ trustDomain: 'example.org' })
  nameless = await testCa({ trustDomain: 'partner.org', uriSans: [] })
})

const numbered = (sequenceNumber: number, ...cas: readonly TestCa[]): Bundle => ({
  ...emptyBundle(parseTrustDomain('partner.org')),
  x509Authorities: cas.flatMap(({ bundle }) => bundle.x509Authorities),
  sequenceNumber,
})

test('the first bundle is taken', () => {
  expect(acceptBundle(numbered(7, mine), undefined)).toMatchObject({ kind: 'changed' })
})

test('a newer bundle replaces the one that is kept', () => {
  const newer = numbered(8, mine, next)
  expect(acceptBundle(newer, numbered(7, mine))).toEqual({ kind: 'changed', bundle: newer })
})

test('the same bundle changes nothing, whatever the order of its authorities', () => {
  const kept = numbered(8, mine, next)
  expect(acceptBundle(numbered(8, next, mine), kept)).toEqual({ kind: 'unchanged' })
})

test('taint, which no document can say, is not taken for a difference', () => {
  const fetched = numbered(8, mine)
  const kept = {
    ...fetched,
    x509Authorities: fetched.x509Authorities.map((one) => ({ ...one, tainted: true })),
  }
  expect(acceptBundle(fetched, kept)).toEqual({ kind: 'unchanged' })
})

test('an upstream root that names no trust domain is taken', () => {
  expect(acceptBundle(numbered(1, nameless), undefined)).toMatchObject({ kind: 'changed' })
})

test('without a number the most recent answer counts', () => {
  expect(acceptBundle(numbered(0, next), numbered(7, mine))).toMatchObject({ kind: 'changed' })
  expect(acceptBundle(numbered(7, mine), numbered(0, next))).toMatchObject({ kind: 'changed' })
})

test('an old bundle that is served again is refused', () => {
  expect(() => acceptBundle(numbered(6, mine), numbered(7, mine, next))).toThrow(
    /sequence number 6, and number 7 is known already/,
  )
})

test('an authority of another trust domain is refused, alone or beside good ones', () => {
  for (const fetched of [numbered(9, other), numbered(9, mine, other)]) {
    expect(() => acceptBundle(fetched, numbered(7, mine))).toThrow(
      /that of "spiffe:\/\/example.org", expected spiffe:\/\/partner.org/,
    )
  }
})

test('an authority whose ID is no SPIFFE ID is refused, however its scheme is written', async () => {
  const loud = await testCa({ trustDomain: 'partner.org', uriSans: ['SPIFFE://example.org'] })
  expect(() => acceptBundle(numbered(9, loud), undefined)).toThrow(/SPIFFE:\/\/example.org/)
})

test('a document without any authority is refused, also when there is nothing yet', () => {
  for (const kept of [undefined, numbered(7, mine)]) {
    expect(() => acceptBundle(numbered(9), kept)).toThrow(/no authority at all/)
  }
})
