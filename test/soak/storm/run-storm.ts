/**
 * A rotation storm: one server whose authorities live a minute and whose SVIDs live twenty seconds, two nodes of ours and
 * one of SPIRE's if its agent is there, and workloads on all of them that keep calling each other by mutual TLS. Says
 * what it saw; whoever calls decides whether that is good. Needs root: each workload has a group of its own.
 */
import { createEntries } from '../../../bench/issuing/many-entries.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import {
  type Agent,
  type Kind,
  type Server,
  startAgent,
  startServer,
} from '../../processes/cluster.ts'
import { troubleIn } from '../trouble.ts'
import type { CrowdReport } from './messages.ts'
import { openCrowd, type RunningCrowd } from './open-crowd.ts'
import { sumOf } from './tally.ts'

export interface StormOptions {
  readonly seconds: number
  /** Of all nodes together. */
  readonly workloads: number
  /** The agent of each node; workloads are dealt out evenly. */
  readonly nodes: readonly [Kind, ...Kind[]]
  /** From one call of a workload to its next, beside those after each rotation, in ms. */
  readonly callEveryMs: number
}

export interface StormReport extends CrowdReport {
  /** What the logs of our server and agents have of warnings and worse. */
  readonly trouble: readonly string[]
  /** From the first entry to the moment when every workload takes connections, in seconds. */
  readonly gatheredSeconds: number
}

/** What our server says of such a configuration when it starts. */
const SHORT_LIVES = /may be cut short when the CA rotates/
const CA_TTL = '1m'
const SVID_TTL = '20s'
/** Workloads of one process. */
const CROWD_SIZE = 125
/** Nobody has these groups; they only have to differ. */
const FIRST_GID = 200_000

/** @throws Error without root, and when a node or a crowd does not come up */
export async function runStorm(options: StormOptions): Promise<StormReport> {
  if (process.getuid?.() !== 0)
    throw new Error('a storm needs root: each workload has a group of its own')
  await using stack = new AsyncDisposableStack()
  const settings = `ca_ttl = "${CA_TTL}"  default_x509_svid_ttl = "${SVID_TTL}"`
  const server = stack.use(await startServer('steeple', { settings, logLevel: 'INFO' }))
  const agents: Agent[] = []
  for (const kind of options.nodes) {
    agents.push(stack.use(await startAgent(kind, server, { logLevel: 'INFO' })))
  }
  const since = performance.now()
  const crowds = await gather(server, agents, options, stack)
  const ended = firstEnd([server, ...agents])
  ended.catch(() => {}) // when all are stopped in the end
  const places = (await Promise.race([Promise.all(crowds.map(({ ready }) => ready)), ended])).flat()
  const gatheredSeconds = Math.round((performance.now() - since) / 100) / 10
  for (const crowd of crowds) {
    crowd.begin({ kind: 'begin', places, callEveryMs: options.callEveryMs })
  }
  await Promise.race([systemClock.sleep(options.seconds * 1_000), ended])
  const reports = await Promise.all(crowds.map((crowd) => crowd.report()))
  const ours = [server, ...agents].filter(({ kind }) => kind === 'steeple')
  const trouble = ours.flatMap((one) => troubleIn(one.process().output(), SHORT_LIVES))
  return { ...sumOf(reports), trouble, gatheredSeconds }
}

/** Rejects when a server or an agent ends by itself, e.g. because its own SVID ran out: nothing can come of the storm then. */
async function firstEnd(all: readonly (Server | Agent)[]): Promise<never> {
  return await Promise.race(
    all.map(async (one) => {
      const running = one.process()
      const how = await running.ended
      throw new Error(`${one.kind} ended with ${how}: ${running.output().slice(-2_000)}`)
    }),
  )
}

/** Entries for all, then processes of workloads that ask for them. */
async function gather(
  server: Server,
  agents: readonly Agent[],
  { workloads }: StormOptions,
  stack: AsyncDisposableStack,
): Promise<readonly RunningCrowd[]> {
  const each = Math.ceil(workloads / agents.length)
  const crowds: RunningCrowd[] = []
  for (const [node, agent] of agents.entries()) {
    const first = node * each
    const count = Math.min(each, workloads - first)
    const pathPrefix = `/node/${node}/workload/`
    const gidOf = (index: number) => FIRST_GID + first + index
    await createEntries(server, {
      ...{ parentId: agent.id, pathPrefix, count },
      selector: (index) => ({ type: 'unix', value: `gid:${gidOf(index)}` }),
    })
    const members = Array.from({ length: count }, (_, index) => ({
      id: `spiffe://${server.trustDomain}${pathPrefix}${index}`,
      gid: gidOf(index),
    }))
    for (let at = 0; at < count; at += CROWD_SIZE) {
      const some = members.slice(at, at + CROWD_SIZE)
      const plan = { kind: 'plan', workloadSocket: agent.socket, members: some } as const
      crowds.push(stack.use(openCrowd(plan)))
    }
  }
  return crowds
}
