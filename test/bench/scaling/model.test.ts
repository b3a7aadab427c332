/** The model of docs/scaling.md, on points whose truth is known. */
import { describe, expect, test } from 'vitest'
import { limitsOf } from '../../../bench/scaling/limits.ts'
import {
  type Habits,
  lackingFor,
  line,
  modelOf,
  needOf,
  serversFor,
  steadyLoad,
} from '../../../bench/scaling/model.ts'
import { pictureOf } from '../../../bench/scaling/plot.ts'
import type { AgentsPoint, Each, EntriesPoint, Points } from '../../../bench/scaling/points.ts'

const spent = (micros: number): Each => ({
  ...{ micros, firstMicros: micros / 2, databaseMicros: micros / 4 },
  ...{ statements: 2, transactions: 1 },
})

const ofAgents = (agents: number): AgentsPoint => ({
  ...{ engine: 'postgres', agents, residentMib: 100 + agents / 10 },
  idle: { ...spent(1_000 + 50 * agents), statements: 3 + agents / 100, transactions: 3 },
  ...{ attest: spent(4_000), reconnect: spent(2_000), deploy: spent(500), event: spent(800) },
  ...{ fanOut: spent(600), eventP50Ms: 5, eventP99Ms: 9, fanOutMs: 50 },
})

const ofEntries = (entries: number): EntriesPoint => ({
  ...{ engine: 'postgres', entries, write: spent(100), writesPerSecond: 5_000 },
  ...{ residentMib: 200, residentAfterStartMib: 120 + entries / 512, event: spent(900) },
  ...{ databaseMib: 8 + entries / 1024, startSeconds: 9, startCpuSeconds: 1 + entries / 100_000 },
  ...{ eventP50Ms: 5, eventP99Ms: 9 },
})

const POINTS: Points = {
  agents: [ofAgents(10), ofAgents(1_000)],
  entries: [ofEntries(1_000), ofEntries(100_000)],
  follow: { changes: 1, follow: spent(200) },
  mix: [],
}
const model = modelOf('postgres', POINTS)

const HABITS: Habits = {
  ...{ agents: 10_000, entries: 1_000_000, servers: 1, changesPerSecond: 10 },
  ...{ ttlSeconds: 3_600, agentTtlSeconds: 3_600 },
}

describe('a straight line', () => {
  test('goes through points that lie on one', () => {
    const found = line(
      [1, 2, 5],
      (x) => x,
      (x) => 7 + 3 * x,
    )
    expect(found.base).toBeCloseTo(7)
    expect(found.each).toBeCloseTo(3)
  })
})

describe('the model', () => {
  test('finds the constants that the points were made of', () => {
    expect(model.idleServer.micros).toBeCloseTo(1_000)
    expect(model.idleAgent.micros).toBeCloseTo(50)
    expect(model.agentMib).toBeCloseTo(0.1)
    expect(model.entryMib).toBeCloseTo(1 / 512)
    expect(model.startSeconds.each).toBeCloseTo(1e-5)
  })

  test('adds up what is asked of the servers, and what each further server costs', () => {
    const load = { ...steadyLoad(HABITS), renewalsPerSecond: 100, agentRenewalsPerSecond: 10 }
    const one = needOf(model, { ...load, reconnectsPerSecond: 20 })
    const idle = 1_000 + 10_000 * 50
    const work = 100 * 500 + 10 * 4_000 + 20 * 2_000 + 10 * 800
    expect(one.cores).toBeCloseTo((idle + work) / 1e6)
    const two = needOf(model, { ...load, reconnectsPerSecond: 20, servers: 2 })
    expect(two.cores - one.cores).toBeCloseTo((1_000 + 10 * 200) / 1e6)
    expect(one.residentMib - two.residentMib).toBeCloseTo(5_000 * 0.1)
  })

  test('renews SVIDs at half of their lives', () => {
    expect(steadyLoad(HABITS).renewalsPerSecond).toBeCloseTo(1_000_000 / 1_800)
    expect(steadyLoad(HABITS).agentRenewalsPerSecond).toBeCloseTo(10_000 / 1_800)
  })

  test('asks for more servers when there is more to do, and always for one to spare', () => {
    const small = steadyLoad({ ...HABITS, agents: 10, entries: 10 })
    expect(serversFor(model, small, 50)).toBe(2)
    const large = steadyLoad({ ...HABITS, agents: 100_000, entries: 10_000_000 })
    expect(serversFor(model, large, 50)).toBeGreaterThan(2)
  })

  test('says what has not been measured yet, rather than make something of nothing', () => {
    expect(lackingFor(POINTS)).toBe('sqlite has not two sizes of agents and of entries')
    expect(() => modelOf('sqlite', POINTS)).toThrow('needs two sizes')
    expect(() => modelOf('postgres', { ...POINTS, follow: undefined })).toThrow('part follow')
  })
})

describe('limits', () => {
  test('are the sizes up to which one server still has what it needs', () => {
    const limits = limitsOf(model, HABITS)
    const heap = limits.find(({ what }) => what.includes('GiB'))
    expect(heap?.size).toBeGreaterThan(((4_096 - model.baseMib) / model.entryMib) * 0.99)
    expect(heap?.size).toBeLessThanOrEqual((4_096 - model.baseMib) / model.entryMib)
  })

  test('stand in order, the narrowest of each kind first', () => {
    const sizes = limitsOf(model, HABITS).filter(({ of }) => of === 'agents')
    expect(sizes.map(({ size }) => size)).toEqual(
      sizes.map(({ size }) => size).toSorted((a, b) => a - b),
    )
  })
})

describe('a picture', () => {
  test('leaves out what has no place on a logarithmic axis', () => {
    const series = [
      {
        name: 'one',
        points: [
          { x: 10, y: 0 },
          { x: 100, y: 5 },
        ],
      },
    ]
    const picture = pictureOf([{ title: 'growth', x: 'agents', y: 'ms', series }])
    expect(picture.match(/<circle/g)).toHaveLength(1)
    expect(picture).not.toContain('NaN')
    expect(picture).not.toContain('Infinity')
  })
})
