import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  appendAuthorities,
  pruneExpired,
  revokeJwtAuthority,
  revokeX509Authority,
  taintJwtAuthority,
  taintX509Authority,
} from '../../../spiffe/bundle/merge.ts'
import { type Bundle, emptyBundle, type JwtAuthority } from '../../../spiffe/bundle.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { authorityIdOf } from '../../../spiffe/x509/key-id.ts'
import { testCa } from '../../fakes/ca.ts'
import { refusalOf } from '../refusal.ts'

const trustDomain = parseTrustDomain('example.org')
const DAY = 24 * 60 * 60 * 1000
const at = (day: number) => new Date(Date.UTC(2026, 0, day))

const x509Until = async (day: number) => {
  const { certificate } = await testCa({ notBefore: at(1), notAfter: at(day) })
  return { der: certificate, tainted: false }
}
const jwtUntil = (keyId: string, day: number | undefined): JwtAuthority => ({
  keyId,
  publicKey: Buffer.from(keyId),
  expiresAt: day === undefined ? undefined : at(day),
  tainted: false,
})

const [early, late] = [await x509Until(10), await x509Until(20)]
const [first, second, endless] = [
  jwtUntil('first', 10),
  jwtUntil('second', 20),
  jwtUntil('endless', undefined),
]
const bundle: Bundle = {
  ...emptyBundle(trustDomain),
  x509Authorities: [early, late],
  jwtAuthorities: [first, second],
  sequenceNumber: 7,
}

test('what is new is appended, and the sequence number grows by one', () => {
  const next = appendAuthorities(emptyBundle(trustDomain), bundle)
  expect(next).toEqual({ ...bundle, sequenceNumber: 1 })
})

test('what is known already changes nothing, tainted or not', () => {
  expect(appendAuthorities(bundle, bundle)).toBe(bundle)
  expect(appendAuthorities(bundle, {})).toBe(bundle)
  const tainted = taintX509Authority(bundle, authorityIdOf(early.der))
  expect(appendAuthorities(tainted, { x509Authorities: [early] })).toBe(tainted)
})

test('an authority given twice at once is appended once', () => {
  const next = appendAuthorities(emptyBundle(trustDomain), {
    x509Authorities: [early, early],
    jwtAuthorities: [first, first],
  })
  expect([next.x509Authorities.length, next.jwtAuthorities.length]).toEqual([1, 1])
})

test('refuses a key ID that is another key already', () => {
  const other = { ...first, publicKey: Buffer.from('other') }
  expect(refusalOf(() => appendAuthorities(bundle, { jwtAuthorities: [other] }))).toBe(
    'BUNDLE_MALFORMED: key ID "first" already belongs to another JWT key',
  )
})

test.for([
  ['before anything expired', 9, 2, 2, 7],
  ['within the grace', 10.5, 2, 2, 7],
  ['when the grace ends', 11, 1, 1, 8],
  ['after the grace', 11.1, 1, 1, 8],
  ['after everything expired: the last of a kind stay', 40, 2, 2, 7],
] as const)('prunes %s', ([, day, x509, jwt, sequenceNumber]) => {
  const now = new Date(at(1).getTime() + (day - 1) * DAY)
  const next = pruneExpired(bundle, now, DAY)
  expect([next.x509Authorities.length, next.jwtAuthorities.length]).toEqual([x509, jwt])
  expect(next.sequenceNumber).toBe(sequenceNumber)
  expect(next === bundle).toBe(sequenceNumber === bundle.sequenceNumber)
})

test('a JWT key without an expiry is never pruned', () => {
  const with3 = { ...bundle, jwtAuthorities: [first, endless] }
  expect(pruneExpired(with3, at(40), DAY).jwtAuthorities).toEqual([endless])
})

test('tainting marks one authority, and once', () => {
  const id = authorityIdOf(early.der)
  const tainted = taintX509Authority(bundle, id)
  expect(tainted.x509Authorities.map((one) => one.tainted)).toEqual([true, false])
  expect(tainted.sequenceNumber).toBe(8)
  expect(taintX509Authority(tainted, id)).toBe(tainted)
  const jwt = taintJwtAuthority(bundle, 'second')
  expect(jwt.jwtAuthorities.map((one) => one.tainted)).toEqual([false, true])
  expect(taintJwtAuthority(jwt, 'second')).toBe(jwt)
})

test('revoking takes a tainted authority out, and no other', () => {
  const id = authorityIdOf(early.der)
  expect(revokeX509Authority(taintX509Authority(bundle, id), id)).toEqual({
    ...bundle,
    x509Authorities: [late],
    sequenceNumber: 9,
  })
  expect(revokeJwtAuthority(taintJwtAuthority(bundle, 'first'), 'first').jwtAuthorities).toEqual([
    second,
  ])
})

test.for([
  ['X.509', () => revokeX509Authority(bundle, authorityIdOf(early.der))],
  ['JWT', () => revokeJwtAuthority(bundle, 'first')],
] as const)('refuses to revoke an untainted %s authority', ([, revoke]) => {
  expect(refusalOf(revoke)).toMatch('PRECONDITION_FAILED: ')
  expect(refusalOf(revoke)).toContain('taint it before it is revoked')
})

test.for([
  ['taint', 'X.509', taintX509Authority],
  ['revoke', 'X.509', revokeX509Authority],
  ['taint', 'JWT', taintJwtAuthority],
  ['revoke', 'JWT', revokeJwtAuthority],
] as const)('refuses to %s an unknown %s authority', ([, kind, change]) => {
  expect(refusalOf(() => change(bundle, 'nobody'))).toBe(
    `NOT_FOUND: no ${kind} authority found with ID "nobody"`,
  )
})

test('whatever is done to a bundle, its sequence number grows exactly when it changes', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('append' as const), n: fc.nat(5) }),
      fc.record({ kind: fc.constant('taint' as const), n: fc.nat(5) }),
      fc.record({ kind: fc.constant('revoke' as const), n: fc.nat(5) }),
      fc.record({ kind: fc.constant('prune' as const), n: fc.nat(30) }),
    ),
    { maxLength: 20 },
  )
  const apply = (before: Bundle, { kind, n }: { kind: string; n: number }): Bundle => {
    if (kind === 'append') {
      return appendAuthorities(before, { jwtAuthorities: [jwtUntil(`key${n}`, 5 + n)] })
    }
    if (kind === 'prune') return pruneExpired(before, at(n), DAY)
    const change = kind === 'taint' ? taintJwtAuthority : revokeJwtAuthority
    let after = before
    refusalOf(() => {
      after = change(before, `key${n}`)
    })
    return after
  }
  fc.assert(
    fc.property(steps, (all) => {
      let current = bundle
      for (const step of all) {
        const next = apply(current, step)
        const isSame = next === current
        expect(next.sequenceNumber).toBe(current.sequenceNumber + (isSame ? 0 : 1))
        if (isSame) expect(next).toEqual(current)
        else expect({ ...next, sequenceNumber: 0 }).not.toEqual({ ...current, sequenceNumber: 0 })
        current = next
      }
    }),
    { numRuns: 60 },
  )
})
