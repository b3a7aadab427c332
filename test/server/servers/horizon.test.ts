import { expect, test } from 'vitest'
import { createHorizon } from '../../../server/servers/horizon.ts'
import type { Clock } from '../../../spiffe/clock.ts'

const START = Date.parse('2030-01-01T00:00:00Z')
const HOUR_MS = 3_600_000
const at = (ms: number) => new Date(START + ms)

function horizonUnderTest(known: Readonly<Record<string, number>> = {}) {
  let now = START
  let fails = false
  const told: Readonly<Record<string, number>>[] = []
  const clock: Clock = { now: () => new Date(now), sleep: async () => {} }
  const horizon = createHorizon({
    ...{ clock, known },
    async tell() {
      if (fails) throw new Error('no database')
      told.push(horizon.endsByMs())
    },
  })
  return {
    ...{ horizon, told },
    pass: (ms: number) => {
      now += ms
    },
    fail: (does: boolean) => {
      fails = does
    },
  }
}

test('what is signed ends no later than was told before', async () => {
  const { horizon, told } = horizonUnderTest()
  await horizon.cover('a', at(HOUR_MS))
  expect(told).toHaveLength(1)
  expect(told[0]?.a).toBeGreaterThanOrEqual(START + HOUR_MS)
})

test('many signatures of the same life need few writes', async () => {
  const { horizon, told, pass } = horizonUnderTest()
  for (let minute = 0; minute < 60; minute += 1) {
    await horizon.cover('a', at(minute * 60_000 + HOUR_MS))
    pass(60_000)
  }
  expect(told.length).toBeLessThanOrEqual(5)
})

test('many at the same time wait for one or two writes, and each is covered', async () => {
  const { horizon, told } = horizonUnderTest()
  await Promise.all(Array.from({ length: 100 }, (_, i) => horizon.cover('a', at(HOUR_MS + i))))
  expect(told.length).toBeLessThanOrEqual(2)
  expect(told.at(-1)?.a).toBeGreaterThanOrEqual(START + HOUR_MS + 99)
})

test('what could not be told is refused, and told when the next one tries', async () => {
  const { horizon, told, fail } = horizonUnderTest()
  fail(true)
  await expect(horizon.cover('a', at(1_000))).rejects.toThrow('no database')
  await expect(horizon.cover('a', at(1_000))).rejects.toThrow('no database')
  fail(false)
  await horizon.cover('a', at(1_000))
  expect(told).toHaveLength(1)
})

test('a failed write takes back nothing that the next write tells', async () => {
  const told: Readonly<Record<string, number>>[] = []
  let tries = 0
  const horizon = createHorizon({
    ...{ clock: { now: () => new Date(START), sleep: async () => {} }, known: {} },
    async tell() {
      tries += 1
      if (tries === 1) throw new Error('no database')
      told.push(horizon.endsByMs())
    },
  })
  const short = horizon.cover('a', at(1_000))
  const long = horizon.cover('a', at(HOUR_MS))
  await expect(short).rejects.toThrow('no database')
  await long
  expect(told.at(-1)?.a).toBeGreaterThanOrEqual(START + HOUR_MS)
})

test('what the run before told is still told, until it has passed', async () => {
  const { horizon, told, pass } = horizonUnderTest({ a: START + HOUR_MS })
  expect(horizon.endsByMs()).toEqual({ a: START + HOUR_MS })
  await horizon.cover('a', at(HOUR_MS))
  expect(told).toEqual([])
  pass(HOUR_MS)
  expect(horizon.endsByMs()).toEqual({})
})

test('of too many authorities those that end last are told by name, and of the others the latest end', async () => {
  const { horizon } = horizonUnderTest()
  for (let i = 0; i < 100; i += 1) await horizon.cover(`a${i}`, at(HOUR_MS + i * 60_000))
  const told = horizon.endsByMs()
  expect(Object.keys(told)).toHaveLength(65)
  expect(told.a99).toBeDefined()
  expect(told.a0).toBeUndefined()
  expect(told['*']).toBeGreaterThanOrEqual(START + HOUR_MS + 35 * 60_000)
})
