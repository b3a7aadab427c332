import { expect, test } from 'vitest'
import { distrustOf, distrustOnce } from '../../../proxy/identity/still-trusted.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import type { VerifiedPeer } from '../../../workload/tls/judge-peer.ts'
import { TEST_NOW, testCa } from '../../fakes/ca.ts'

const ca = await testCa()
const other = await testCa()
const leaf = await ca.leaf('/web')
const LATER = new Date('2026-03-01T00:00:00Z')

const peer: VerifiedPeer = {
  id: parseSpiffeId('spiffe://example.org/web'),
  chain: leaf.chain,
  authorityExpiresAt: new Date('2026-01-02T00:00:00Z'),
  verifiedAt: TEST_NOW,
}
const bundles = new Map([[ca.trustDomain, ca.bundle]])
const without = new Map([[ca.trustDomain, other.bundle]])

test('an SVID that has expired since its handshake stays believed', () => {
  expect(distrustOf(peer, bundles, LATER)).toBeUndefined()
})

test('an authority that left the bundle because it ended does not take its peers along', () => {
  expect(distrustOf(peer, without, LATER)).toBeUndefined()
})

test('an authority that was taken out before its end does', () => {
  expect(distrustOf(peer, without, TEST_NOW)).toMatch(/not trusted any more/)
})

test('a bundle that is gone takes all of its peers along, whatever the time', () => {
  expect(distrustOf(peer, new Map(), LATER)).toMatch(/no bundle found/)
})

test('peers with the same certificates get the same answer, and others their own', async () => {
  const distrust = distrustOnce(without, TEST_NOW)
  const trusted = { ...peer, chain: (await other.leaf('/web')).chain }
  expect(distrust(peer)).toBe(distrust({ ...peer }))
  expect(distrust(trusted)).toBeUndefined()
})
