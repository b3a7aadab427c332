/**
 * `node test/soak/hour.ts [minutes]`, or `npm run soak`: an hour at moderate load, unless told otherwise. Ends with 1 when
 * some of the work failed, a log had a warning, or memory, descriptors or threads of a process were not flat;
 * `resources.ts` says how that is judged.
 */
import { wholeNumber } from '../processes/whole-number.ts'
import { runHour } from './hour/run-hour.ts'
import { trendOf, unevennessOf } from './resources.ts'

/** Looks at each process, spread over the whole time. */
const SAMPLES = 240

const minutes = wholeNumber('minutes', process.argv[2], 60)
const seconds = minutes * 60
const { work, courses, trouble, logLines } = await runHour({
  seconds,
  sampleSeconds: Math.max(1, Math.round(seconds / SAMPLES)),
})
const trends = Object.fromEntries(courses.map(({ name, samples }) => [name, trendOf(samples)]))
const uneven = courses.flatMap(unevennessOf)
process.stdout.write(
  `${JSON.stringify({ minutes, work, trends, uneven, trouble, logLines }, undefined, 2)}\n`,
)
const troubles = Object.values(trouble).reduce((sum, { length }) => sum + length, 0)
const failures = work.reduce((sum, one) => sum + one.failures, 0)
process.exitCode = failures + uneven.length + troubles === 0 ? 0 : 1
