import { expect, test } from 'vitest'
import { DEADLINE_STEP_MS, openDeadlines } from '../../../proxy/http/deadlines.ts'
import { FakeClock } from '../../fakes/clock.ts'

async function rig() {
  const clock = new FakeClock()
  const stop = new AbortController()
  const deadlines = openDeadlines(clock, stop.signal)
  const steps = async (count: number) => {
    for (let step = 0; step < count; step += 1) {
      await clock.sleepers(1)
      clock.advance(DEADLINE_STEP_MS)
    }
    await clock.sleepers(1)
  }
  return { deadlines, steps, stop }
}

test('a deadline falls due once, never early, and at most one step late', async () => {
  const { deadlines, steps } = await rig()
  let due = 0
  const deadline = deadlines.add(() => {
    due += 1
  })
  deadlines.set(deadline, 3 * DEADLINE_STEP_MS)
  await steps(3)
  expect(due).toBe(0)
  await steps(1)
  expect(due).toBe(1)
  await steps(10)
  expect(due).toBe(1)
})

test('a deadline that was moved, cleared or deleted does not fall due', async () => {
  const { deadlines, steps } = await rig()
  const due: string[] = []
  const [moved, cleared, deleted] = ['moved', 'cleared', 'deleted'].map((name) =>
    deadlines.add(() => due.push(name)),
  )
  if (moved === undefined || cleared === undefined || deleted === undefined) throw new Error('none')
  for (const deadline of [moved, cleared, deleted]) deadlines.set(deadline, DEADLINE_STEP_MS)
  deadlines.set(moved, 8 * DEADLINE_STEP_MS)
  deadlines.clear(cleared)
  deadlines.delete(deleted)
  await steps(5)
  expect(due).toEqual([])
  await steps(5)
  expect(due).toEqual(['moved'])
  expect(deadlines.size).toBe(2)
})

test('nothing falls due after the end', async () => {
  const { deadlines, stop } = await rig()
  let due = 0
  deadlines.set(
    deadlines.add(() => {
      due += 1
    }),
    0,
  )
  stop.abort()
  await Promise.resolve()
  expect(due).toBe(0)
})
