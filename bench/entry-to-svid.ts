/**
 * Entry created at the server → SVID in the workload's hand on a stream that was open before: Steeple beside
 * SPIRE, same configuration files, same raw gRPC client.
 */
import { watchArrivals } from '../demo/arrivals.ts'
import {
  type Agent,
  type Kind,
  type Server,
  startAgent,
  startServer,
} from '../test/processes/cluster.ts'
import { inMs, spread } from './percentiles.ts'

/** SPIRE needs seconds for each, so fewer rounds tell enough. */
const ROUNDS = { steeple: 300, spire: 8 } as const satisfies Record<Kind, number>

export async function benchEntryToSvid(kinds: readonly Kind[]): Promise<void> {
  const medians = new Map<Kind, number>()
  for (const kind of kinds) {
    await using server = await startServer(kind)
    await using agent = await startAgent(kind, server)
    const result = spread(await measure(server, agent, ROUNDS[kind]))
    medians.set(kind, result.p50)
    console.log(`entry to SVID  ${kind.padEnd(8)} ${inMs(result)}`)
  }
  const [ours, theirs] = [medians.get('steeple'), medians.get('spire')]
  if (ours !== undefined && theirs !== undefined) {
    console.log(`entry to SVID  ratio    ${(theirs / ours).toFixed(0)} times faster at the median`)
  }
}

async function measure(server: Server, agent: Agent, rounds: number): Promise<number[]> {
  await using arrivals = await watchArrivals({
    admin: server.socket,
    workload: agent.socket,
    trustDomain: server.trustDomain,
    agentId: agent.id,
    selector: { type: 'unix', value: `uid:${process.getuid?.()}` },
  })
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    times.push(await arrivals.create(agent.id, `/round/${round}`))
  }
  return times
}
