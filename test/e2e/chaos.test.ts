/** Three servers under faults, in short; and that the checker of such a run would tell what must not happen. */
import { expect, test } from 'vitest'
import { createExpectations, type Seen } from '../chaos/expectations.ts'
import { deal, FAULT_KINDS } from '../chaos/faults.ts'
import { lackingNamespaces } from '../chaos/network.ts'
import { similarOnes } from '../chaos/once-only.ts'
import { createOutages } from '../chaos/outages.ts'
import { runInNamespaces } from '../chaos/run-in-namespaces.ts'
import { judgeTurns } from '../chaos/turn-logs.ts'
import { FakeClock } from '../fakes/clock.ts'
import { seeded } from '../fakes/seeded.ts'
import { lackingPostgres } from '../processes/postgres.ts'

const LONG_MS = 900_000
const title =
  'three servers that are killed, stopped, cut off and robbed of their database for a minute lose no write, and no workload is without an SVID'
const lacking = lackingPostgres ?? lackingNamespaces

if (lacking !== undefined) {
  process.stderr.write(`SKIPPED ${title}: ${lacking}\n`)
  test.skip(`${title} (${lacking})`, () => {})
} else {
  test(
    title,
    async () => {
      const options = { seconds: 60, seed: 9, agents: 60 }
      const { code, output } = await runInNamespaces(options, new AbortController().signal)
      const report = JSON.parse(output)
      expect(report.faults, output).toEqual([])
      expect(code).toBe(0)
      expect(report.faultsInflicted).toBeGreaterThan(1)
      for (const what of ['acknowledged', 'knownAfterMs.count', 'goneAfterMs.count', 'once.spent'])
        expect(report, output).toHaveProperty(
          what,
          expect.toSatisfy((count) => count > 0),
        )
      expect(report.probes.verified).toBeGreaterThan(report.probes.asked)
    },
    LONG_MS,
  )
}

const BOUND_MS = 1_000
const absent: Seen = { revision: undefined, holds: false }
const holding = (revision: number): Seen => ({ revision, holds: true })

/** @param excused how much of any time does not count */
function open(excused = 0) {
  const expectations = createExpectations({
    ...{ boundMs: BOUND_MS, excusedMs: () => excused, nameOf: (key) => key },
  })
  return {
    expectations,
    /** What each look sees, at these times. */
    see(...looks: readonly (readonly [number, Seen])[]) {
      for (const [atMs, seen] of looks) expectations.check(atMs, () => seen)
      return expectations.faults
    },
  }
}

test.for([
  ['is not known after the bound', { kind: 'present', revision: 0 }, [[1_001, absent]]],
  [
    'is known, and has no SVID',
    { kind: 'present', revision: 0 },
    [[1_001, { revision: 0, holds: false }]],
  ],
  ['is known as it was before', { kind: 'present', revision: 2 }, [[1_001, holding(1)]]],
  ['is still there after the bound', { kind: 'absent' }, [[1_001, holding(0)]]],
  [
    'is forgotten, and its SVID is not',
    { kind: 'absent' },
    [[1_001, { revision: undefined, holds: true }]],
  ],
  [
    'comes back after it was deleted',
    { kind: 'absent' },
    [
      [10, absent],
      [20, holding(0)],
    ],
  ],
  [
    'loses its SVID',
    { kind: 'present', revision: 0 },
    [
      [10, holding(0)],
      [20, { revision: 0, holds: false }],
    ],
  ],
  [
    'is taken back without a word',
    { kind: 'present', revision: 0 },
    [
      [10, holding(0)],
      [20, absent],
    ],
  ],
] as const)('an entry that %s is told, once', ([, wanted, looks]) => {
  const { expectations, see } = open()
  expectations.expect('entry', wanted, 0)
  expect(see(...looks)).toHaveLength(1)
  expect(see(...looks)).toHaveLength(1)
})

test('what is known in time, or written again meanwhile, is no fault; what nobody could know is excused', () => {
  const { expectations, see } = open()
  expectations.expect('entry', { kind: 'present', revision: 1 }, 0)
  expect(see([999, absent], [1_000, holding(1)], [5_000, holding(2)])).toEqual([])
  expectations.expect('entry', undefined, 6_000)
  expect(see([9_000, absent])).toEqual([])
  expect(expectations.delaysMs).toEqual({ present: [1_000], absent: [] })

  const excused = open(500)
  excused.expectations.expect('entry', { kind: 'absent' }, 0)
  expect(excused.see([1_500, holding(0)])).toEqual([])
  expect(excused.see([1_501, holding(0)])).toHaveLength(1)
})

const line = (second: number, msg: string, turn = 'prune') =>
  JSON.stringify({ time: new Date(second * 1_000).toISOString(), msg, turn })

const toTheEnd = { killedMs: undefined, standstills: [] }

test('two servers that hold one turn at once are told; the turn of a server that was killed is over', () => {
  const text = [line(1, 'Turn begins'), line(2, 'Turn begins', 'publish'), 'no JSON at all'].join(
    '\n',
  )
  const next = { server: 's2', text: line(5, 'Turn begins'), ...toTheEnd }
  const judged = (killedMs: number | undefined) =>
    judgeTurns([{ server: 's1', text, killedMs, standstills: [] }, next])
  expect(judged(4_000)).toEqual({ turns: 2, begun: 3, faults: [] })
  expect(judged(undefined).faults).toEqual([
    's2 began prune at 1970-01-01T00:00:05.000Z while s1 was at it',
  ])
  const ended = `${text}\n${line(6, 'Turn is over')}`
  expect(judgeTurns([{ server: 's1', text: ended, ...toTheEnd }, next]).faults).toHaveLength(1)
})

test('a turn is over for who has lost it, and for who stood still and lost it right after', () => {
  const next = { server: 's2', text: line(15, 'Turn begins'), ...toTheEnd }
  const judged = (lostAt: number, ...standstills: readonly (readonly [number, number])[]) => {
    const said = [line(1, 'Turn begins'), line(lostAt, 'Turn is lost'), line(40, 'Turn is over')]
    return judgeTurns([
      {
        ...{ server: 's1', text: said.join('\n'), killedMs: undefined },
        standstills: standstills.map(([from, until]) => ({
          ...{ fromMs: from * 1_000, untilMs: until * 1_000 },
        })),
      },
      next,
    ]).faults.length
  }
  expect(judged(14)).toBe(0)
  expect(judged(16)).toBe(1)
  expect(judged(21, [4, 20])).toBe(0)
  expect(judged(23, [4, 20])).toBe(1)
  expect(judged(21, [16, 20])).toBe(1)
})

test('two entries that say the same are told', () => {
  const entry = (id: string, ...values: readonly string[]) => ({
    ...{ id, spiffe_id: null, parent_id: null, x509_svid_ttl: 0, federates_with: [], admin: false },
    ...{ downstream: false, expires_at: 0, dns_names: [], revision_number: 0, store_svid: false },
    ...{ jwt_svid_ttl: 0, hint: '', created_at: 0, jwt_svid_default_ttl: 0 },
    selectors: values.map((value) => ({ type: 'unix', value })),
  })
  expect(similarOnes([entry('a', '1', '2'), entry('b', '1')])).toEqual([])
  expect(similarOnes([entry('a', '1', '2'), entry('b', '2', '1')])).toHaveLength(1)
})

test('an outage excuses its own time and that of the return, and no other', async () => {
  const clock = new FakeClock()
  const outages = createOutages(clock)
  const from = clock.now().getTime()
  await outages.during(async () => {
    clock.advance(1_000)
    expect(outages.overlapMs(from, from + 500)).toBe(500)
  })
  expect(outages.overlapMs(from - 1_000, from + 60_000)).toBe(7_000)
  expect(outages.overlapMs(from + 7_000, from + 60_000)).toBe(0)
})

test('every kind of fault comes before any comes again, in an order that the seed repeats', () => {
  const take = (seed: number) => {
    const dealt = deal(seeded(seed))
    return Array.from({ length: FAULT_KINDS.length }, () => dealt.next().value)
  }
  expect(take(1).toSorted()).toEqual(FAULT_KINDS.toSorted())
  expect(take(1)).toEqual(take(1))
  expect(take(1)).not.toEqual(take(2))
})
