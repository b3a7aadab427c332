import { expect, test } from 'vitest'
import type { JwtSigningKey } from '../../../server/ca/jwt-signing-key.ts'
import type { X509Ca } from '../../../server/ca/x509-ca.ts'
import { followRoots } from '../../../server/upstream/follow-roots.ts'
import type { UpstreamRoots } from '../../../server/upstream/upstream-authority.ts'
import { type Bundle, emptyBundle, type JwtAuthority } from '../../../spiffe/bundle.ts'
import { generateKey, spkiOf } from '../../../spiffe/key.ts'
import { authorityIdOf } from '../../../spiffe/x509/key-id.ts'
import { testCa } from '../../fakes/ca.ts'

const old = await testCa({ uriSans: [] })
const next = await testCa({ uriSans: [] })
const publicKey = new Uint8Array(spkiOf(await generateKey('ec-p256')))

const x509 = (ca: typeof old, tainted = false) => ({ der: ca.certificate, tainted })
const jwt = (keyId: string, tainted = false): JwtAuthority => ({
  ...{ keyId, publicKey, tainted },
  expiresAt: undefined,
})
const below = (root: typeof old): X509Ca => ({
  ...{
    id: `below ${authorityIdOf(root.certificate)}`,
    keySlot: 'A',
    certificate: root.certificate,
  },
  ...{ issuedAt: new Date(0), notBefore: new Date(0), expiresAt: new Date(0) },
  upstream: { intermediates: [], authorityId: authorityIdOf(root.certificate) },
})

const keyOf = (id: string): JwtSigningKey => ({
  ...{ id, keySlot: 'A', publicKey },
  ...{ issuedAt: new Date(0), notBefore: new Date(0), expiresAt: new Date(0) },
})

/** What becomes of a bundle when upstream says this, one answer after the other; a function is an operator of ours. */
async function following(
  first: Bundle,
  answers: readonly (UpstreamRoots | ((bundle: Bundle) => Bundle))[],
  { mints = next, ownKey }: { mints?: typeof old; ownKey?: string } = {},
) {
  let bundle = first
  let active = below(old)
  const published: string[] = []
  const failures: unknown[] = []
  await followRoots(
    {
      upstream: {
        async follow(onRoots) {
          for (const answer of answers) {
            if (typeof answer === 'function') bundle = answer(bundle)
            else await onRoots(answer)
          }
        },
        async publishJwtKey({ keyId }) {
          published.push(keyId)
          return []
        },
      },
      publication: {
        current: () => bundle,
        async update(change) {
          bundle = change(bundle)
        },
      },
      x509: {
        slots: () => ({ prepared: undefined, active, old: undefined }),
        prepare: async () => below(mints),
        async activate() {
          active = below(mints)
          return active
        },
      },
      jwt:
        ownKey === undefined
          ? undefined
          : { slots: () => ({ prepared: undefined, active: undefined, old: keyOf(ownKey) }) },
      onFailure: (error) => failures.push(error),
    },
    new AbortController().signal,
  )
  return { bundle, active, published, failures }
}

const bundleOf = (...roots: Bundle['x509Authorities']): Bundle => ({
  ...emptyBundle(old.trustDomain),
  ...{ x509Authorities: roots, sequenceNumber: 5 },
})

test('what upstream vouches with is taken over in one step, and nothing is written twice', async () => {
  const roots = { x509Authorities: [x509(old), x509(next)], jwtAuthorities: [jwt('a')] }
  const { bundle } = await following(bundleOf(x509(old)), [roots, roots, roots])
  expect(bundle.x509Authorities).toEqual([x509(old), x509(next)])
  expect(bundle.jwtAuthorities).toEqual([jwt('a')])
  expect(bundle.sequenceNumber).toBe(6)
})

test('what upstream does not know stays, until it is tainted', async () => {
  const before = { ...bundleOf(x509(old), x509(next, true)), jwtAuthorities: [jwt('mine')] }
  const { bundle } = await following(before, [{ x509Authorities: [x509(old)], jwtAuthorities: [] }])
  expect(bundle.x509Authorities).toEqual([x509(old)])
  expect(bundle.jwtAuthorities).toEqual([jwt('mine')])
})

test('when the root above our CA is tainted, a CA beneath another root takes over', async () => {
  const roots = { x509Authorities: [x509(old, true), x509(next)], jwtAuthorities: [] }
  const { bundle, active } = await following(bundleOf(x509(old)), [roots])
  expect(bundle.x509Authorities).toEqual([x509(old, true), x509(next)])
  expect(active).toEqual(below(next))
})

test('a CA beneath the tainted root itself does not take over', async () => {
  const roots = { x509Authorities: [x509(old, true), x509(next)], jwtAuthorities: [] }
  const { active } = await following(bundleOf(x509(old)), [roots], { mints: old })
  expect(active).toEqual(below(old))
})

test('an answer with a root that cannot be read changes nothing, for nobody could read our bundle either', async () => {
  const broken = { der: Buffer.from('no certificate'), tainted: false }
  const before = bundleOf(x509(old))
  const answer = { x509Authorities: [x509(old), x509(next), broken], jwtAuthorities: [] }
  await expect(following(before, [answer])).rejects.toThrow(
    /^the upstream authority vouches with a root that cannot be read: malformed DER/,
  )
})

test('what was removed by hand does not come back while upstream still has it', async () => {
  const roots = { x509Authorities: [x509(old), x509(next)], jwtAuthorities: [jwt('a'), jwt('b')] }
  const remove = (bundle: Bundle): Bundle => ({
    ...bundle,
    ...{ x509Authorities: [x509(old)], jwtAuthorities: [jwt('a')] },
  })
  const { bundle } = await following(bundleOf(x509(old)), [roots, remove, roots, roots])
  expect(bundle.x509Authorities).toEqual([x509(old)])
  expect(bundle.jwtAuthorities).toEqual([jwt('a')])
})

test('what upstream forgot and has again is new', async () => {
  const without = { x509Authorities: [x509(old)], jwtAuthorities: [] }
  const roots = { x509Authorities: [x509(old), x509(next)], jwtAuthorities: [jwt('a')] }
  const remove = (bundle: Bundle): Bundle => ({ ...bundle, ...without })
  const answers = [roots, remove, without, roots]
  const { bundle } = await following(bundleOf(x509(old)), answers)
  expect(bundle.x509Authorities).toEqual([x509(old), x509(next)])
  expect(bundle.jwtAuthorities).toEqual([jwt('a')])
})

test('a key of our own that we have tainted stays until we revoke it, also when upstream does not know it', async () => {
  const before = { ...bundleOf(x509(old)), jwtAuthorities: [jwt('mine', true), jwt('gone', true)] }
  const answer = { x509Authorities: [x509(old)], jwtAuthorities: [] }
  const { bundle } = await following(before, [answer, answer], { ownKey: 'mine' })
  expect(bundle.jwtAuthorities).toEqual([jwt('mine', true)])
})

test('a key of our own that we have tainted stays tainted, though upstream takes it for good', async () => {
  const before = { ...bundleOf(x509(old)), jwtAuthorities: [jwt('mine', true)] }
  const answer = { x509Authorities: [x509(old)], jwtAuthorities: [jwt('mine')] }
  const { bundle } = await following(before, [answer, answer], { ownKey: 'mine' })
  expect(bundle.jwtAuthorities).toEqual([jwt('mine', true)])
})
