import { expect, test } from 'vitest'
import { createAdmission } from '../../../../server/api/sync/admission.ts'
import { FakeClock } from '../../../fakes/clock.ts'
import { id } from '../../an-entry.ts'

const agent = (at: number) => id(`/spire/agent/join_token/${at}`)

test('of a thousand agents that come at one moment, as many enter in each second as the rate says, a few wait, and the others are told', async () => {
  const clock = new FakeClock()
  const admission = createAdmission(clock)
  const counts = { entered: 0, refused: 0 }
  const { signal } = new AbortController()
  const all = Array.from({ length: 1_000 }, (_, at) =>
    admission.enter(agent(at), signal).then(
      () => counts.entered++,
      (error: unknown) => {
        expect(error).toMatchObject({ code: 'RATE_LIMITED' })
        counts.refused++
      },
    ),
  )
  await expect.poll(() => counts).toEqual({ entered: 200, refused: 400 })
  clock.advance(1_000)
  await expect.poll(() => counts.entered).toBe(400)
  clock.advance(1_000)
  await Promise.all(all)
  expect(counts).toEqual({ entered: 600, refused: 400 })
})

test('agents that come one by one never wait', async () => {
  const clock = new FakeClock()
  const admission = createAdmission(clock, { perSecond: 10 })
  for (let n = 0; n < 100; n++) {
    await admission.enter(agent(n % 5), new AbortController().signal)
    clock.advance(100)
  }
  expect(clock.sleeping).toBe(0)
})

test('an agent that goes away while it waits gives its turn to another', async () => {
  const clock = new FakeClock()
  const admission = createAdmission(clock, { perSecond: 1 })
  const { signal } = new AbortController()
  await admission.enter(agent(0), signal)
  const [one, two] = [new AbortController(), new AbortController()]
  const waiting = [admission.enter(agent(1), one.signal), admission.enter(agent(2), two.signal)]
  await clock.sleepers(2)
  await expect(admission.enter(agent(3), signal)).rejects.toMatchObject({ code: 'RATE_LIMITED' })
  one.abort()
  await waiting[0]
  const third = admission.enter(agent(4), signal)
  await clock.sleepers(2)
  clock.advance(2_000)
  await Promise.all([waiting[1], third])
})

test('one agent that begins stream after stream is refused, and takes no place away from the others', async () => {
  const clock = new FakeClock()
  const admission = createAdmission(clock)
  const { signal } = new AbortController()
  for (let second = 0; second < 3; second++) {
    for (let n = 0; n < 8; n++) await admission.enter(agent(0), signal)
    for (let n = 0; n < 1_000; n++) {
      await expect(admission.enter(agent(0), signal)).rejects.toMatchObject({
        code: 'RATE_LIMITED',
        message: expect.stringContaining('/spire/agent/join_token/0 begins more than 8 streams'),
      })
    }
    for (let n = 1; n <= 192; n++) await admission.enter(agent(n), signal)
    expect(clock.sleeping).toBe(0)
    clock.advance(1_000)
  }
})
