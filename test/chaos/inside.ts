/** The run itself, on the machine of the database and the agents; `main.ts` makes that machine and starts this. */
import { parseArgs } from 'node:util'
import { SERVER_NAMES } from './network.ts'
import { runChaos } from './run-chaos.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    seed: { type: 'string', default: '1' },
    agents: { type: 'string', default: '200' },
    /** Namespaces and addresses, `NETNS=IP`, in the order of the servers. */
    servers: { type: 'string', default: '' },
    base: { type: 'string', default: '' },
    name: { type: 'string', default: '' },
  },
})
const places = values.servers.split(',').map((one) => one.split('='))
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())

const report = await runChaos({
  seconds: Number(values.seconds),
  seed: Number(values.seed),
  agents: Number(values.agents),
  servers: SERVER_NAMES.map((name, at) => {
    const [netns = '', host = ''] = places[at] ?? []
    return { name, netns, host }
  }),
  baseHost: values.base,
  serverName: values.name,
  signal: stop.signal,
  onFault: ({ kind, whom, fromMs, untilMs }) => {
    const at = new Date(fromMs).toISOString().slice(11, 19)
    process.stderr.write(`${at} ${kind} (${whom}), ${((untilMs - fromMs) / 1_000).toFixed(1)} s\n`)
  },
})
process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`)
process.exitCode = report.faults.length === 0 ? 0 : 1
