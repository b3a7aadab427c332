/**
 * `npm run kills [-- moments seed lanes]`: kills server and agent (SIGKILL) at random moments under a stream of writes, a
 * thousand times unless told otherwise: two seconds for each on two idle cores, in one lane. Prints what it saw; ends with
 * 1 when an acknowledged write was lost, half of one was found, a deleted entry was served, or somebody would have had to help.
 * An interrupt ends it early, with its report.
 */
import { randomInt } from 'node:crypto'
import { wholeNumber } from '../processes/whole-number.ts'
import { runKills } from './run-kills.ts'

const MOMENTS = 1_000
const LANES = 3
const MAX_SEED = 2 ** 31

const [, , moments, seed, lanes] = process.argv
const stop = new AbortController()
process.once('SIGINT', () => stop.abort())
const report = await runKills({
  signal: stop.signal,
  moments: wholeNumber('moments', moments, MOMENTS),
  seed: wholeNumber('seed', seed, randomInt(1, MAX_SEED)),
  lanes: wholeNumber('lanes', lanes, LANES),
})
process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`)
process.exitCode = report.faults.length === 0 ? 0 : 1
