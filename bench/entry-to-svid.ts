/**
 * Entry created at the server → SVID in the workload's hand on a stream that was open before: Steeple beside
 * SPIRE, same configuration files, same raw gRPC client.
 */
import { once } from 'node:events'
import { credentials, Metadata } from '@grpc/grpc-js'
import { entryApi, workloadApi } from '../proto/load.ts'
import {
  type Agent,
  type Kind,
  type Server,
  startAgent,
  startServer,
} from '../test/processes/cluster.ts'
import { until } from '../test/processes/process.ts'
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
  const entries = new (entryApi())(`unix:${server.socket}`, credentials.createInsecure())
  const workload = new (workloadApi())(`unix:${agent.socket}`, credentials.createInsecure())
  const waiting = new Map<string, () => void>()
  const header = new Metadata()
  header.set('workload.spiffe.io', 'true')

  const create = (path: string) =>
    new Promise<void>((resolve, reject) => {
      const [trust_domain, parent] = [server.trustDomain, new URL(agent.id).pathname]
      const entry = {
        spiffe_id: { trust_domain, path },
        parent_id: { trust_domain, path: parent },
        selectors: [{ type: 'unix', value: `uid:${process.getuid?.()}` }],
      }
      entries.BatchCreateEntry({ entries: [entry] }, (error) => (error ? reject(error) : resolve()))
    })
  const arrival = (path: string) =>
    new Promise<void>((resolve) => waiting.set(`spiffe://${server.trustDomain}${path}`, resolve))
  const listen = () =>
    workload.FetchX509SVID({}, header).on('data', ({ svids }) => {
      for (const { spiffe_id } of svids) waiting.get(spiffe_id)?.()
    })

  // Without an entry the stream would be refused, so the first one opens the way.
  await create('/first')
  const stream = await until('the first SVID', () => opened(listen()))

  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const arrived = arrival(`/round/${round}`)
    const start = performance.now()
    await create(`/round/${round}`)
    await arrived
    times.push(performance.now() - start)
  }
  stream.cancel()
  entries.close()
  workload.close()
  return times
}

type Stream = ReturnType<InstanceType<ReturnType<typeof workloadApi>>['FetchX509SVID']>

async function opened(stream: Stream): Promise<Stream> {
  stream.on('error', () => {})
  await once(stream, 'data')
  return stream
}
