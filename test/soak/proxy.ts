/**
 * `node test/soak/proxy.ts [seconds]`: the soak of the proxy in its long form, a minute unless told otherwise, and then up to
 * six more until the last connection has ended by itself. Ends with 1 when a request got another answer than its own, a
 * connection stayed, or memory, descriptors or threads were not flat.
 */
import { trendOf, unevennessOf } from './resources.ts'
import { soakProxy } from './soak-proxy.ts'

/** Longer than an HTTP/2 connection is kept without a stream, which is five minutes. */
const PATIENCE_MS = 360_000

const seconds = Number(process.argv[2] ?? 60)
const { courses, ...report } = await soakProxy({
  ...{ seconds, shortConnections: 2_000, clients: 16, patienceMs: PATIENCE_MS },
})
const trends = Object.fromEntries(courses.map(({ name, samples }) => [name, trendOf(samples)]))
const uneven = courses.flatMap(unevennessOf)
process.stdout.write(`${JSON.stringify({ ...report, trends, uneven }, undefined, 2)}\n`)
const { failed, passed, errors, left, kept, isRapidResetEnded } = report
const faults = failed.length + passed.length + errors.length + uneven.length + left + kept
process.exitCode = faults === 0 && isRapidResetEnded ? 0 : 1
