import { expect, test } from 'vitest'
import { runHour } from '../soak/hour/run-hour.ts'
import { type Sample, trendOf, unevennessOf } from '../soak/resources.ts'

const LONGEST_MS = 240_000
const SECONDS = 60
/** File descriptors that may be more in the last quarter of a short run than in the one before it. */
const MORE_DESCRIPTORS = 10

test('at moderate load nothing fails, no log has a warning, and descriptors stay as many as they are', {
  timeout: LONGEST_MS,
}, async () => {
  const { work, courses, trouble, logLines } = await runHour({ seconds: SECONDS, sampleSeconds: 2 })
  expect(work.filter(({ failures }) => failures > 0)).toEqual([])
  expect(work.filter(({ done }) => done < 2)).toEqual([])
  expect(Object.values(trouble).flat()).toEqual([])
  expect(Object.keys(logLines)).toEqual(courses.map(({ name }) => name))
  for (const { samples } of courses) {
    const [third, fourth] = trendOf(samples).descriptors
    expect(fourth).toBeLessThanOrEqual(third + MORE_DESCRIPTORS)
  }
})

const course = (residentMib: (at: number) => number, descriptors = (_at: number) => 30) => ({
  name: 'server',
  samples: Array.from(
    { length: 100 },
    (_, at): Sample => ({
      ...{ seconds: at * 10, threads: 10 },
      ...{ residentMib: residentMib(at), descriptors: descriptors(at) },
    }),
  ),
})

test('memory that grows to the end is not flat, nor are descriptors that do', () => {
  expect(unevennessOf(course((at) => 100 + at))).toEqual([
    expect.stringContaining('memory grew by 49 MiB in the second half'),
  ])
  expect(
    unevennessOf(
      course(
        () => 100,
        (at) => 30 + at,
      ),
    ),
  ).toEqual([expect.stringContaining('file descriptors grew from 92 to 117')])
})

test('memory that grew to begin with is flat, and so is a saw', () => {
  expect(unevennessOf(course((at) => Math.min(200, 100 + 4 * at)))).toEqual([])
  expect(unevennessOf(course((at) => 100 + (at % 5) * 4))).toEqual([])
})

test('a few samples are not taken for an answer', () => {
  expect(unevennessOf({ name: 'server', samples: course(() => 100).samples.slice(0, 3) })).toEqual([
    'server: 3 samples, at least 8 say something',
  ])
})
