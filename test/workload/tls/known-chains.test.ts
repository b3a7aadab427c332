import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Bundle } from '../../../spiffe/bundle.ts'
import type { TrustDomain } from '../../../spiffe/id.ts'
import { type VerifyPeerOptions, verifyPeer } from '../../../spiffe/x509/verify.ts'
import { verifyKnown } from '../../../workload/tls/known-chains.ts'
import { TEST_NOW, testCa } from '../../fakes/ca.ts'
import { refusalOf } from '../../spiffe/refusal.ts'

const ca = await testCa()
const partner = await testCa({ trustDomain: 'partner.org' })
const { bundle } = ca
const hour = 60 * 60 * 1000

const bundlesOf = (...all: readonly Bundle[]): ReadonlyMap<TrustDomain, Bundle> =>
  new Map(all.map((one) => [one.trustDomain, one]))
const bundles = bundlesOf(bundle, partner.bundle)

const verdict = (chain: readonly Uint8Array[], changes: Partial<VerifyPeerOptions> = {}) =>
  refusalOf(() => verifyKnown({ chain, bundles, now: TEST_NOW, ...changes }))

test('a chain that was believed is believed again, with the same ID and end of its authority', async () => {
  const { chain } = await ca.leaf('/cart')
  const first = verifyKnown({ chain, bundles, now: TEST_NOW })
  const copy = chain.map((der) => Uint8Array.from(der))
  expect(verifyKnown({ chain: copy, bundles, now: TEST_NOW })).toEqual(first)
  expect(first.id).toBe('spiffe://example.org/cart')
  const { path } = verifyPeer({ chain, bundles, now: TEST_NOW })
  expect(first.authorityExpiresAt).toEqual(path.at(-1)?.notAfter)
})

test('a chain that was believed is refused when its authority has left the bundle', async () => {
  const { chain } = await ca.leaf()
  expect(verdict(chain)).toBe('accepted')
  const without = bundlesOf({ ...bundle, x509Authorities: [], sequenceNumber: 1 })
  expect(verdict(chain, { bundles: without })).toContain('unknown authority')
  const other = await testCa()
  expect(verdict(chain, { bundles: bundlesOf(other.bundle) })).toContain('unknown authority')
})

test('a chain that was believed is refused when the bundle of its trust domain is gone', async () => {
  const { chain } = await ca.leaf()
  expect(verdict(chain)).toBe('accepted')
  expect(verdict(chain, { bundles: bundlesOf(partner.bundle) })).toContain('no bundle found')
  expect(verdict(chain, { bundles: bundlesOf() })).toContain('no bundle found')
})

test('a chain that was believed is refused after the end of any certificate of it, and before its beginning', async () => {
  const middle = await ca.intermediate({ notAfter: new Date(TEST_NOW.getTime() + hour) })
  const { chain } = await middle.leaf()
  expect(verdict(chain)).toBe('accepted')
  const at = (afterMs: number) => verdict(chain, { now: new Date(TEST_NOW.getTime() + afterMs) })
  expect(at(hour)).toBe('accepted')
  expect(at(hour + 1)).toContain('expired')
  expect(at(-24 * hour)).toContain('is not valid before')
  const noTime = new Date(Number.NaN)
  expect(() => verifyKnown({ chain, bundles, now: noTime })).toThrow(RangeError)
  expect(at(0)).toBe('accepted')
})

test('a chain that was believed of a client is refused of a server, when its usage says so', async () => {
  const { chain } = await ca.leaf('/a', { extKeyUsage: ['1.3.6.1.5.5.7.3.2'] })
  expect(verdict(chain, { usage: 'clientAuth' })).toBe('accepted')
  expect(verdict(chain, { usage: 'serverAuth' })).toContain('without serverAuth')
})

test('a leaf that was believed with its intermediate is refused without it, and with bytes cut otherwise', async () => {
  const { chain } = await (await ca.intermediate()).leaf()
  const [leaf = Buffer.alloc(0), ...others] = chain
  expect(verdict(chain)).toBe('accepted')
  expect(verdict([leaf])).toContain('unknown authority')
  expect(verdict([Buffer.concat(chain)])).not.toBe('accepted')
  expect(verdict([Buffer.concat([leaf, Buffer.of(0x30)]), ...others])).not.toBe('accepted')
})

test('a chain with more certificates than are kept is verified as any other', async () => {
  const { chain } = await ca.leaf()
  const many = [...chain, ...Array.from({ length: 15 }, () => partner.certificate)]
  const some = many.slice(0, 12)
  expect([verdict(many), verdict(many), verdict(some)]).toEqual(Array(3).fill('accepted'))
  expect(verdict(many, { bundles: bundlesOf(partner.bundle) })).toContain('no bundle found')
})

test('what was refused is believed as soon as its authority is in the bundle', async () => {
  const late = await testCa()
  const { chain } = await late.leaf()
  expect(verdict(chain)).toContain('unknown authority')
  expect(verdict(chain, { bundles: bundlesOf(late.bundle) })).toBe('accepted')
})

test('whatever was asked before, the answer is that of a verification of its own', async () => {
  const short = await ca.leaf('/short', { notAfter: new Date(TEST_NOW.getTime() + hour) })
  const below = await (await ca.intermediate()).leaf('/below')
  const alien = await partner.leaf('/alien')
  const client = await ca.leaf('/client', { extKeyUsage: ['1.3.6.1.5.5.7.3.2'] })
  const tainted = {
    ...bundle,
    x509Authorities: bundle.x509Authorities.map((one) => ({ ...one, tainted: true })),
  }
  const asked = fc.record({
    chain: fc.constantFrom(
      ...[short, below, alien, client].map((one) => one.chain),
      ...[[short.certificate, ...below.chain], [below.certificate], []],
    ),
    bundles: fc.constantFrom(
      ...[bundles, bundlesOf(bundle), bundlesOf(partner.bundle), bundlesOf(tainted)],
      bundlesOf({ ...bundle, x509Authorities: partner.bundle.x509Authorities }, partner.bundle),
    ),
    now: fc
      .constantFrom(0, hour, hour + 1, -13 * hour, 48 * hour)
      .map((ms) => new Date(TEST_NOW.getTime() + ms)),
    usage: fc.constantFrom('clientAuth' as const, 'serverAuth' as const, undefined),
  })
  fc.assert(
    fc.property(fc.array(asked, { maxLength: 12 }), (all) => {
      for (const { usage, ...one } of all) {
        const options = usage === undefined ? one : { ...one, usage }
        expect(refusalOf(() => verifyKnown(options))).toBe(refusalOf(() => verifyPeer(options)))
      }
    }),
  )
})
