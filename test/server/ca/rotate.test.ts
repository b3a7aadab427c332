import { expect, test } from 'vitest'
import { rotate, takeDueSteps } from '../../../server/ca/rotate.ts'
import {
  type Authority,
  EMPTY_SLOTS,
  freeKeySlot,
  type Slots,
  withActivated,
  withPrepared,
} from '../../../server/ca/slots.ts'
import { FakeClock } from '../../fakes/clock.ts'

const HOUR_MS = 60 * 60 * 1000
const TTL_MS = 24 * HOUR_MS

/** Authorities that only remember what was done with them. */
function recorded(clock: FakeClock) {
  const done: string[] = []
  let slots: Slots<Authority> = EMPTY_SLOTS
  let failure: Error | undefined
  return {
    done,
    fail(error: Error | undefined) {
      failure = error
    },
    lose() {
      slots = EMPTY_SLOTS
    },
    slots: () => slots,
    async prepare() {
      done.push('prepare')
      if (failure !== undefined) throw failure
      const issuedAt = clock.now()
      const expiresAt = new Date(issuedAt.getTime() + TTL_MS)
      const id = `authority ${done.length}`
      slots = withPrepared(slots, {
        id,
        keySlot: freeKeySlot(slots),
        issuedAt,
        notBefore: issuedAt,
        expiresAt,
      })
    },
    async activate(id: string) {
      done.push('activate')
      if (failure !== undefined) throw failure
      if (slots.prepared?.id !== id) throw new Error('another one is prepared')
      slots = withActivated(slots, slots.prepared)
    },
  }
}

async function running(run: (signal: AbortSignal) => Promise<void>, story: () => Promise<void>) {
  const stop = new AbortController()
  const done = run(stop.signal)
  await story()
  stop.abort()
  await done
}

test('the first authority is prepared and activated at once', async () => {
  const clock = new FakeClock()
  const authorities = recorded(clock)
  const until = await takeDueSteps(authorities, clock)
  expect(authorities.done).toEqual(['prepare', 'activate'])
  expect(until.getTime() - clock.now().getTime()).toBe(TTL_MS / 2)
})

test('rotation goes on: of authorities that live a day, one takes over every twelve hours', async () => {
  const clock = new FakeClock()
  const authorities = recorded(clock)
  const onFailure = (error: unknown) => expect.unreachable(String(error))
  await running(
    (signal) => rotate({ authorities, clock, onFailure }, signal),
    async () => {
      for (let hours = 0; hours < 41; hours += 1) {
        await clock.sleepers(1)
        clock.advance(HOUR_MS)
      }
      await clock.sleepers(1)
    },
  )
  const oneEach12Hours = ['prepare', 'activate']
  expect(authorities.done).toEqual([
    ...oneEach12Hours,
    ...oneEach12Hours,
    ...oneEach12Hours,
    'prepare',
  ])
})

test('rotation looks again every ten seconds, because clocks are set and bundles are edited', async () => {
  const clock = new FakeClock()
  const authorities = recorded(clock)
  const onFailure = (error: unknown) => expect.unreachable(String(error))
  await running(
    (signal) => rotate({ authorities, clock, onFailure }, signal),
    async () => {
      await clock.sleepers(1)
      authorities.lose()
      clock.advance(10_000)
      await clock.sleepers(1)
      expect(authorities.done).toEqual(['prepare', 'activate', 'prepare', 'activate'])
    },
  )
})

test('a failed step is reported, and tried again after a second, two, four, at most sixty', async () => {
  const clock = new FakeClock()
  const authorities = recorded(clock)
  const failures: unknown[] = []
  authorities.fail(new Error('disk full'))
  await running(
    (signal) => rotate({ authorities, clock, onFailure: (error) => failures.push(error) }, signal),
    async () => {
      let attempts = 1
      for (const pauseMs of [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
        await clock.sleepers(1)
        expect(authorities.done).toHaveLength(attempts)
        clock.advance(pauseMs - 1)
        expect(clock.sleeping).toBe(1)
        clock.advance(1)
        attempts += 1
      }
      await clock.sleepers(1)
      authorities.fail(undefined)
      clock.advance(60_000)
      await clock.sleepers(1)
    },
  )
  expect(failures).toHaveLength(9)
  expect(authorities.slots().active).toBeDefined()
})

test('steps that have no effect are a failure, not an endless loop', async () => {
  const clock = new FakeClock()
  const authorities = {
    slots: () => EMPTY_SLOTS,
    prepare: async () => {},
    activate: async () => {},
  }
  await expect(takeDueSteps(authorities, clock)).rejects.toThrow('had no effect')
})

test('rotation ends when its signal aborts, also in the middle of a sleep', async () => {
  const clock = new FakeClock()
  const authorities = recorded(clock)
  await running(
    (signal) => rotate({ authorities, clock, onFailure: () => {} }, signal),
    () => clock.sleepers(1),
  )
  expect(clock.sleeping).toBe(0)
})
