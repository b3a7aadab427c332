/**
 * Many agents in one process, each with its own identity, its own TLS connection and the agent's own code for what it
 * says to servers: attestation, the pushed stream (or polling as SPIRE's agents do), signing, renewal. Each tells what
 * it knows, and since when.
 *
 *     await using simulation = await simulateAgents({
 *       servers: [{ host: '127.0.0.1', port: 8081 }],  // one or several of one trust domain
 *       trustDomain: 'example.org',
 *       bundlePem,                                      // what `bundle show` prints
 *       count: 200,
 *       attestorOf: byJoinTokens('/path/of/the/server/admin.sock'),
 *     })
 *     const [agent] = simulation.agents
 *     agent.id                          // parent of entries
 *     agent.entry('an-entry-id')        // { knownMs, svidMs, goneMs, revision }, milliseconds since 1970
 *     agent.holds('an-entry-id')        // a valid SVID, now
 *     simulation.summary()              // { agents, inSync, stopped, entries, withoutSvid, failures }
 *
 * Whoever returns has attested; what comes after goes on by itself until it is disposed of. Times are of this
 * machine's clock, so that they can be compared with those of other processes on it.
 */
import { credentials, type ServiceError } from '@grpc/grpc-js'
import { joinTokenAttestor } from '../../agent/node/join-token.ts'
import type { NodeAttestor } from '../../agent/node/node-attestor.ts'
import type { HostPort } from '../../agent/node/server-directory.ts'
import type { JoinToken } from '../../proto/gen/spire/api/types/JoinToken.ts'
import { agentApi } from '../../proto/load.ts'
import { parseBundlePem } from '../../spiffe/bundle/pem.ts'
import { parseTrustDomain } from '../../spiffe/id.ts'
import { type Feed, type SimulatedAgent, startSimulatedAgent } from './simulated-agent.ts'

export interface SimulationOptions {
  readonly servers: readonly [HostPort, ...HostPort[]]
  readonly trustDomain: string
  readonly bundlePem: string
  readonly count: number
  /** How the agent of this number attests. */
  attestorOf(index: number): Promise<NodeAttestor>
  /** `push` if not given. */
  readonly feed?: Feed
  /** Between two polls; 5 s if not given. */
  readonly syncIntervalMs?: number
  /** False: entries are followed, and no SVIDs asked for. */
  readonly keepsSvids?: boolean
}

export interface Summary {
  readonly agents: number
  readonly inSync: number
  /** Ended by themselves, e.g. evicted. */
  readonly stopped: number
  /** Of all agents together. */
  readonly entries: number
  /** Of these, those without a valid SVID now. */
  readonly withoutSvid: number
  /** Calls and streams that failed, as far as they are remembered, by reason. */
  readonly failures: Readonly<Record<string, number>>
}

export interface Simulation extends AsyncDisposable {
  readonly agents: readonly SimulatedAgent[]
  summary(): Summary
}

/** How many attest at once. */
const ATTEST_AT_ONCE = 20

/** @throws IdentityError when an agent cannot attest; all others have then ended as well */
export async function simulateAgents(options: SimulationOptions): Promise<Simulation> {
  const { servers, count, feed = 'push', syncIntervalMs = 5_000, keepsSvids = true } = options
  const bundle = parseBundlePem(options.bundlePem, parseTrustDomain(options.trustDomain))
  const over = new AbortController()
  const agents: SimulatedAgent[] = []
  await using stack = new AsyncDisposableStack()
  stack.defer(async () => {
    over.abort()
    await Promise.all(agents.map((agent) => agent[Symbol.asyncDispose]()))
  })
  let next = 0
  const work = async () => {
    for (let index = next++; index < count && !over.signal.aborted; index = next++) {
      const attestor = await options.attestorOf(index)
      const one = { servers, bundle, attestor, feed, syncIntervalMs, keepsSvids }
      agents.push(await startSimulatedAgent(one, over.signal))
    }
  }
  await Promise.all(Array.from({ length: Math.min(ATTEST_AT_ONCE, count) }, work))
  const opened = stack.move()
  return {
    agents,
    summary: () => summaryOf(agents),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** One fresh join token for each, from the admin socket of any server of the trust domain. */
export function byJoinTokens(adminSocket: string): SimulationOptions['attestorOf'] {
  const client = new (agentApi())(`unix:${adminSocket}`, credentials.createInsecure())
  return () =>
    new Promise((resolve, reject) => {
      client.CreateJoinToken({ ttl: 600 }, (error: ServiceError | null, token?: JoinToken) => {
        if (error !== null) reject(error)
        else resolve(joinTokenAttestor(token?.value))
      })
    })
}

function summaryOf(agents: readonly SimulatedAgent[]): Summary {
  const failures: Record<string, number> = {}
  let [entries, withoutSvid] = [0, 0]
  for (const agent of agents) {
    for (const { reason } of agent.failures()) {
      const kind = reason.replace(/ \(\d{4}-\d\d-\d\dT[^)]*\)/, '') // gRPC says when
      failures[kind] = (failures[kind] ?? 0) + 1
    }
    for (const entryId of agent.entryIds()) {
      entries += 1
      if (!agent.holds(entryId)) withoutSvid += 1
    }
  }
  return {
    agents: agents.length,
    inSync: agents.filter((agent) => agent.isInSync()).length,
    stopped: agents.filter((agent) => agent.stopped() !== undefined).length,
    ...{ entries, withoutSvid, failures },
  }
}
