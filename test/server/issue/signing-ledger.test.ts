import { expect, test } from 'vitest'
import { createSigningLedger, type Signed } from '../../../server/issue/signing-ledger.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import { FakeClock } from '../../fakes/clock.ts'

const agent = parseSpiffeId('spiffe://example.org/spire/agent/a')
const HOUR = 3_600_000

function setUp(maxRecords?: number) {
  const clock = new FakeClock()
  const ledger = createSigningLedger(clock, maxRecords === undefined ? {} : { maxRecords })
  const signed = (authorityId: string, hours = 1, more: Partial<Signed> = {}): Signed => ({
    ...{ kind: 'workload-x509-svid', holder: agent, authorityId },
    expiresAt: new Date(clock.now().getTime() + hours * HOUR),
    ...more,
  })
  return { clock, ledger, signed }
}

test('the newest SVID of an entry takes the place of the one before', async () => {
  const { ledger, signed } = setUp()
  await ledger.record(signed('old'), { kind: 'replaces', slot: 'entry-1' })
  await ledger.record(signed('old'), { kind: 'replaces', slot: 'entry-2' })
  expect(ledger.usesOf('old')).toMatchObject([{ holder: agent, count: 2 }])
  await ledger.record(signed('new'), { kind: 'replaces', slot: 'entry-1' })
  expect(ledger.usesOf('old')).toMatchObject([{ count: 1 }])
  await ledger.record(signed('new'), { kind: 'replaces', slot: 'entry-2' })
  expect(ledger.usesOf('old')).toEqual([])
})

test('what was minted stays in use until it expires, whatever is minted after it', async () => {
  const { clock, ledger, signed } = setUp()
  await ledger.record(signed('old', 1, { kind: 'minted-x509-svid' }), { kind: 'adds' })
  await ledger.record(signed('old', 2, { kind: 'minted-x509-svid' }), { kind: 'adds' })
  await ledger.record(signed('new', 1, { kind: 'minted-x509-svid' }), { kind: 'adds' })
  const until = new Date(clock.now().getTime() + 2 * HOUR)
  expect(ledger.usesOf('old')).toMatchObject([{ count: 2, until }])
  clock.advance(2 * HOUR)
  expect(ledger.usesOf('old')).toEqual([])
})

test('what has expired is not counted again with what comes after it', async () => {
  const { clock, ledger, signed } = setUp()
  await ledger.record(signed('old', 1, { kind: 'workload-jwt-svid' }), { kind: 'adds' })
  clock.advance(HOUR)
  await ledger.record(signed('old', 1, { kind: 'workload-jwt-svid' }), { kind: 'adds' })
  expect(ledger.usesOf('old')).toMatchObject([{ count: 1 }])
})

test('what is forgotten for want of room is not taken for unused until it has expired', async () => {
  const { clock, ledger, signed } = setUp(2)
  for (const slot of ['a', 'b', 'c']) {
    await ledger.record(signed('old', slot === 'a' ? 5 : 1), { kind: 'replaces', slot })
  }
  expect(ledger.usesOf('old')).toMatchObject([{ count: 2 }])
  expect(ledger.forgottenUntil('old')).toEqual(new Date(clock.now().getTime() + 5 * HOUR))
  clock.advance(5 * HOUR)
  expect(ledger.forgottenUntil('old')).toBeUndefined()
})

test('what has expired makes room before anything that is valid is forgotten', async () => {
  const { clock, ledger, signed } = setUp(2)
  await ledger.record(signed('old', 1), { kind: 'replaces', slot: 'a' })
  clock.advance(HOUR)
  await ledger.record(signed('old', 1), { kind: 'replaces', slot: 'b' })
  await ledger.record(signed('old', 1), { kind: 'replaces', slot: 'c' })
  expect(ledger.forgottenUntil('old')).toBeUndefined()
  expect(ledger.usesOf('old')).toMatchObject([{ count: 2 }])
})

test('the authority of an agent’s own SVID is known from its signing, or from the agent showing it', async () => {
  const { clock, ledger } = setUp()
  const expiresAt = new Date(clock.now().getTime() + HOUR)
  await ledger.recordAgentSvid('1', 'old', expiresAt)
  ledger.noteSeen({ serialNumber: '2', authorityId: 'older', expiresAt })
  ledger.noteSeen({ serialNumber: '1', authorityId: 'claimed', expiresAt })
  ledger.noteSeen({ serialNumber: '3', expiresAt })
  expect(['1', '2', '3'].map(ledger.authorityOfAgentSvid)).toEqual(['old', 'older', undefined])
})
