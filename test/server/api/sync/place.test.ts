import { expect, test } from 'vitest'
import { createPlace } from '../../../../server/api/sync/place.ts'
import { FakeClock } from '../../../fakes/clock.ts'

function open(latest = 100) {
  const clock = new FakeClock()
  const place = createPlace({ latest: async () => latest, isShared: true, clock })
  const gone = new AbortController()
  let isThere = false
  const reach = (sequence: number) =>
    place.reach(sequence, gone.signal).then(() => {
      isThere = true
    })
  return { clock, place, gone, reach, isThere: () => isThere }
}

test('an agent that knows no more than this server does not wait', async () => {
  const { place, reach, clock } = open()
  place.advance(10)
  await Promise.all([reach(0), reach(9), reach(10)])
  expect(clock.sleeping).toBe(0)
})

test('an agent that knows more waits until this server knows as much', async () => {
  const { place, reach, clock, isThere } = open()
  place.advance(10)
  const reached = reach(12)
  await clock.sleepers(1)
  place.advance(11)
  expect(isThere()).toBe(false)
  place.advance(12)
  await reached
  expect(clock.sleeping).toBe(0)
})

test('a server that does not catch up within five seconds refuses rather than tells less', async () => {
  const { place, reach, clock } = open()
  place.advance(10)
  const reached = reach(12)
  await clock.sleepers(1)
  clock.advance(5_000)
  await expect(reached).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining(
      'it has read the changes up to 10, and the agent knows those up to 12',
    ),
  })
})

test('a log that was begun anew is not waited for', async () => {
  const { place, reach, clock } = open(11)
  place.advance(11)
  await reach(5_000)
  expect(clock.sleeping).toBe(0)
})

test('an agent that goes away while it waits leaves nothing behind', async () => {
  const { gone, reach, clock } = open()
  const reached = reach(12)
  await clock.sleepers(1)
  gone.abort()
  await reached
  expect(clock.sleeping).toBe(0)
})

test('when the log was looked at last is told only where another server could have seen more', () => {
  const clock = new FakeClock()
  const latest = async () => 0
  const [shared, alone] = [true, false].map((isShared) => createPlace({ latest, isShared, clock }))
  clock.advance(5_000)
  expect(shared?.lookedMs()).toBe(clock.now().getTime() - 5_000)
  shared?.looked()
  alone?.looked()
  expect(shared?.lookedMs()).toBe(clock.now().getTime())
  expect(alone?.lookedMs()).toBeUndefined()
})

test('a log that cannot be read is no reason to tell less', async () => {
  const place = createPlace({
    latest: () => Promise.reject(new Error('the database is away')),
    ...{ isShared: true, clock: new FakeClock() },
  })
  await expect(place.reach(1, new AbortController().signal)).rejects.toThrow('the database is away')
})
