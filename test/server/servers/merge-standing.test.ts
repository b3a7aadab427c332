import { expect, test } from 'vitest'
import type { Follower, OperatedAuthority } from '../../../server/issue/progress.ts'
import { type MergeDeps, mergeStanding } from '../../../server/servers/merge-standing.ts'
import type { StandingAnswer } from '../../../server/servers/question.ts'
import { digestOf } from '../../../server/servers/tell-standing.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'

const NOW = Date.parse('2030-01-01T00:00:00Z')
const MINUTE = 60_000
const agent = parseSpiffeId('spiffe://example.org/spire/agent/a')
const follower: Follower = { id: agent, kind: 'agent' }
const authority: OperatedAuthority = {
  ...{
    id: 'old',
    keySlot: 'A',
    issuedAt: new Date(NOW - MINUTE),
    notBefore: new Date(NOW - MINUTE),
  },
  expiresAt: new Date(NOW + 600 * MINUTE),
}
const silent: StandingAnswer = {
  ...{ activation: 'unknown', made: [], forgottenUntilMs: {}, uses: [], held: [] },
  ...{ renewedAtMs: {}, places: [], handed: {} },
}
const handed = (place: 'absent' | 'trusted' | 'tainted', atMs: number) => ({
  places: [[place]],
  handed: { [digestOf(agent)]: [0, atMs] as [number, number] },
})
const held = (signedAtMs: number) => ({
  held: [{ id: 'old', slot: 's', signedAtMs, holder: agent, untilMs: NOW + 30 * MINUTE }],
})

function merged(
  answers: Readonly<Record<string, Partial<StandingAnswer>>>,
  {
    owner = 'one' as string | undefined,
    ...more
  }: Partial<MergeDeps> & { owner?: string | undefined } = {},
) {
  const full = Object.entries(answers).map(([key, part]) => [key, { ...silent, ...part }] as const)
  return mergeStanding(authority, owner, {
    ...{ answers: new Map(full), asked: ['old'], followers: [follower], now: new Date(NOW) },
    ...{ place: () => 'tainted', endsBy: () => undefined, ...more },
  })
}

test('a follower that no server has heard of is behind', () => {
  expect(merged({ one: {}, two: {} }).behind).toEqual([{ follower, handedAt: undefined }])
})

test('a follower has heard when the last server that it asked told it', () => {
  const one = handed('trusted', NOW - 5 * MINUTE)
  const two = handed('tainted', NOW)
  expect(merged({ one, two }).behind).toEqual([])
  expect(merged({ one: two, two: one }).behind).toEqual([])
})

test('a follower that went to a server which is late is behind again', () => {
  const one = handed('tainted', NOW - 5 * MINUTE)
  expect(merged({ one, two: handed('trusted', NOW) }).behind).toMatchObject([{ follower }])
})

test('within what clocks differ by, the doubt counts as behind', () => {
  const one = handed('tainted', NOW)
  expect(merged({ one, two: handed('trusted', NOW - 5_000) }).behind).toMatchObject([{ follower }])
})

test('what one server signed is out of use once another has renewed it, well after', () => {
  const one = held(NOW - 5 * MINUTE)
  expect(merged({ one, two: {} }).uses).toMatchObject([{ kind: 'workload-x509-svid', count: 1 }])
  expect(merged({ one, two: { renewedAtMs: { s: NOW - MINUTE } } }).uses).toEqual([])
})

test.for([
  ['another slot', { other: NOW }],
  ['before it', { s: NOW - 10 * MINUTE }],
  ['at about the same time', { s: NOW - 5 * MINUTE + 5_000 }],
] as const)('a renewal of %s leaves it in use', ([, renewedAtMs]) => {
  const merge = merged({ one: held(NOW - 5 * MINUTE), two: { renewedAtMs } })
  expect(merge.uses).toHaveLength(1)
})

test('an agent has one SVID of its own, however many servers know of it', () => {
  const use = {
    id: 'old',
    kind: 'agent-svid',
    holder: agent,
    count: 1,
    untilMs: NOW + MINUTE,
  } as const
  expect(merged({ one: { uses: [use] }, two: { uses: [use] } }).uses).toMatchObject([{ count: 1 }])
})

test('tokens of several servers add up, and what has ended is left out', () => {
  const use = { id: 'old', kind: 'workload-jwt-svid', holder: agent, count: 2 } as const
  const one = { uses: [{ ...use, untilMs: NOW + MINUTE }] }
  const two = { uses: [{ ...use, untilMs: NOW + 2 * MINUTE }] }
  const three = { uses: [{ ...use, untilMs: NOW }] }
  expect(merged({ one, two, three }).uses).toEqual([
    { kind: 'workload-jwt-svid', holder: agent, count: 4, until: new Date(NOW + 2 * MINUTE) },
  ])
})

test('what its server recorded from the beginning is known; otherwise all of its life counts', () => {
  expect(merged({ one: { made: ['old'] } }).unknownUntil).toBeUndefined()
  expect(merged({ one: {} }).unknownUntil).toEqual(authority.expiresAt)
  expect(
    merged({ one: { made: ['old'], forgottenUntilMs: { old: NOW + MINUTE } } }).unknownUntil,
  ).toEqual(new Date(NOW + MINUTE))
})

test('of a server that is gone, what it told before counts, and its silence for nothing', () => {
  const endsBy = () => new Date(NOW + 7 * MINUTE)
  const gone = { owner: undefined }
  expect(merged({ two: { made: ['old'] } }, gone).unknownUntil).toEqual(authority.expiresAt)
  expect(merged({ two: {} }, { ...gone, endsBy }).unknownUntil).toEqual(new Date(NOW + 7 * MINUTE))
  const passed = () => new Date(NOW)
  expect(merged({ two: {} }, { ...gone, endsBy: passed }).unknownUntil).toBeUndefined()
})
