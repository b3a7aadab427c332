import { expect, test } from 'vitest'
import { type Follower, type ProgressDeps, progressOf } from '../../../server/issue/progress.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import { authorityIdOf } from '../../../spiffe/x509/key-id.ts'
import { TEST_NOW, testCa } from '../../fakes/ca.ts'

const ca = await testCa()
const later = new Date(TEST_NOW.getTime() + 3_600_000)
const authority = {
  ...{ id: authorityIdOf(ca.certificate), keySlot: 'A' as const },
  ...{ issuedAt: TEST_NOW, notBefore: TEST_NOW, expiresAt: later },
}
const without: Bundle = { ...ca.bundle, x509Authorities: [] }
const tainted: Bundle = {
  ...ca.bundle,
  x509Authorities: [{ der: ca.certificate, tainted: true }],
}
const agent: Follower = {
  ...{ id: parseSpiffeId('spiffe://example.org/spire/agent/a'), kind: 'agent' },
  svid: { serialNumber: '1', expiresAt: later },
}

const progress = (more: Partial<ProgressDeps> = {}) =>
  progressOf(authority, {
    ...{ kind: 'x509', bundle: ca.bundle, followers: [agent], now: TEST_NOW },
    lastHanded: () => ({ bundle: ca.bundle, at: TEST_NOW }),
    usesOf: () => [],
    forgottenUntil: () => undefined,
    authorityOfAgentSvid: () => undefined,
    isMadeHere: () => true,
    ...more,
  })

test.for([
  ['has never asked', undefined, ca.bundle],
  ['was handed a bundle without it', without, ca.bundle],
  ['was handed a bundle from before it was tainted', ca.bundle, tainted],
  ['was handed a bundle from before it was revoked', tainted, without],
] as const)('an agent that %s is behind', ([, handed, bundle]) => {
  const lastHanded = () => (handed === undefined ? undefined : { bundle: handed, at: TEST_NOW })
  expect(progress({ bundle, lastHanded })?.behind).toMatchObject([{ follower: agent }])
})

test('another change of the bundle leaves nobody behind', () => {
  const handed = { ...ca.bundle, sequenceNumber: 99 }
  expect(progress({ lastHanded: () => ({ bundle: handed, at: TEST_NOW }) })?.behind).toEqual([])
})

test('an authority below an upstream one is known where the root is', () => {
  const below = {
    ...authority,
    id: 'below',
    upstream: { authorityId: authority.id, intermediates: [] },
  }
  const deps: ProgressDeps = {
    ...{ kind: 'x509', bundle: ca.bundle, followers: [agent], now: TEST_NOW },
    lastHanded: () => ({ bundle: ca.bundle, at: TEST_NOW }),
    usesOf: () => [],
    forgottenUntil: () => undefined,
    authorityOfAgentSvid: () => undefined,
    isMadeHere: () => true,
  }
  expect(progressOf(below, deps)?.behind).toEqual([])
})

test('an agent whose own SVID it has signed uses it', () => {
  expect(progress({ authorityOfAgentSvid: () => authority.id })?.uses).toEqual([
    { kind: 'agent-svid', holder: agent.id, count: 1, until: later },
  ])
})

test('an authority from before the process started is perhaps in use until it ends', () => {
  expect(progress({ isMadeHere: () => false })?.unknownUntil).toEqual(later)
  expect(progress({ isMadeHere: () => false, now: later })?.unknownUntil).toBeUndefined()
})

test('what the ledger has forgotten is perhaps in use', () => {
  expect(progress({ forgottenUntil: () => later })?.unknownUntil).toEqual(later)
})
