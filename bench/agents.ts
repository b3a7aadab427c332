/**
 * `node bench/agents.ts -servers HOST:PORT[,HOST:PORT…] -adminSocket PATH -bundle FILE [-count N] [-feed push|polling]`:
 * agents without workloads, attested by join tokens of that admin socket, for as long as the program runs. A line of
 * JSON every five seconds says how they are; SIGTERM or SIGINT ends them. `-trustDomain` is example.org if not given.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { HostPort } from '../agent/node/server-directory.ts'
import { systemClock } from '../spiffe/clock.ts'
import {
  byJoinTokens,
  type Simulation,
  simulateAgents,
} from '../test/processes/simulated-agents.ts'

const TELL_EVERY_MS = 5_000
const USAGE =
  'usage: node bench/agents.ts --servers HOST:PORT,… --adminSocket PATH --bundle FILE [--count N] [--feed push|polling] [--trustDomain NAME]'

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())

const { values } = parseArgs({
  // One dash or two, as on all command lines of SPIRE.
  args: process.argv.slice(2).map((word) => word.replace(/^-(?=[a-z]{2})/, '--')),
  options: {
    servers: { type: 'string' },
    adminSocket: { type: 'string' },
    bundle: { type: 'string' },
    count: { type: 'string', default: '100' },
    feed: { type: 'string', default: 'push' },
    trustDomain: { type: 'string', default: 'example.org' },
  },
})

function serversOf(written: string): readonly [HostPort, ...HostPort[]] {
  const [first, ...others] = written.split(',').map((one): HostPort => {
    const { host, port } = /^\[?(?<host>.+?)\]?:(?<port>\d+)$/.exec(one.trim())?.groups ?? {}
    if (host === undefined || port === undefined)
      throw new Error(`${one} is not HOST:PORT; ${USAGE}`)
    return { host, port: Number(port) }
  })
  if (first === undefined) throw new Error(USAGE)
  return [first, ...others]
}

const { servers, adminSocket, bundle, feed, trustDomain } = values
const count = Number(values.count)
if (servers === undefined || adminSocket === undefined || bundle === undefined)
  throw new Error(USAGE)
if (feed !== 'push' && feed !== 'polling') throw new Error(`-feed is ${feed}; ${USAGE}`)
if (!Number.isInteger(count) || count < 1) throw new Error(`-count is ${values.count}; ${USAGE}`)

await using simulation: Simulation = await simulateAgents({
  ...{ servers: serversOf(servers), trustDomain, count, feed },
  bundlePem: readFileSync(bundle, 'utf8'),
  attestorOf: byJoinTokens(adminSocket),
})
while (!stop.signal.aborted) {
  const { user, system } = process.cpuUsage()
  const cpuSeconds = Math.round((user + system) / 1e4) / 100
  console.log(JSON.stringify({ at: systemClock.now(), cpuSeconds, ...simulation.summary() }))
  await systemClock.sleep(TELL_EVERY_MS, stop.signal)
}
