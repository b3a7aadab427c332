/**
 * `npm run chaos [-- seconds seed agents]`: three servers on one PostgreSQL, each on a machine of its own (network
 * namespaces: needs root), 200 simulated agents, a real spire-agent and an agent of ours, for ten minutes unless told
 * otherwise. Servers are killed, stopped and cut off, the database restarts, crashes and loses its connections, while
 * entries are written at any server and workloads ask for SVIDs. Prints what it saw; ends with 1 when an acknowledged
 * write was lost, something happened twice that must happen once, a deleted entry was known for longer than the bound,
 * or a workload was without a valid SVID. An interrupt ends it early, with its report.
 */
import { randomInt } from 'node:crypto'
import { wholeNumber } from '../processes/whole-number.ts'
import { runInNamespaces } from './run-in-namespaces.ts'

const SECONDS = 600
const AGENTS = 200
const MAX_SEED = 2 ** 31

const [, , seconds, seed, agents] = process.argv
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
const options = {
  seconds: wholeNumber('seconds', seconds, SECONDS),
  seed: wholeNumber('seed', seed, randomInt(1, MAX_SEED)),
  agents: wholeNumber('agents', agents, AGENTS),
}
const ended = await runInNamespaces(options, stop.signal)
process.stdout.write(ended.output)
process.exitCode = ended.code
