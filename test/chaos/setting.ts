/** What a run is about: a database, three servers, two hundred simulated agents, a spire-agent, an agent of ours; each with an entry that must always be served. */
import { existsSync } from 'node:fs'
import type { BatchCreateEntryResponse } from '../../proto/gen/spire/api/server/entry/v1/BatchCreateEntryResponse.ts'
import type { EntryInput } from '../../proto/gen/spire/api/types/Entry.ts'
import { call, deadline } from '../kill/clients.ts'
import { type Agent, program, startAgent } from '../processes/cluster.ts'
import { type Postgres, startPostgres } from '../processes/postgres.ts'
import { until } from '../processes/process.ts'
import type { SimulatedAgent } from '../processes/simulated-agent.ts'
import { byJoinTokens, simulateAgents } from '../processes/simulated-agents.ts'
import { DATABASE_PORT, SERVER_PORT } from './network.ts'
import { type ChaosServer, launchServer, type ServerPlace, TRUST_DOMAIN } from './servers.ts'

export interface SettingOptions {
  readonly servers: readonly Omit<ServerPlace, 'connection'>[]
  /** Of the machine of database and agents. */
  readonly baseHost: string
  /** A name that stands for all servers there. */
  readonly serverName: string
  readonly agents: number
}

export interface Setting extends AsyncDisposable {
  readonly postgres: Postgres
  readonly servers: readonly ChaosServer[]
  readonly simulated: readonly SimulatedAgent[]
  /** Of the real agents, those that are there. */
  readonly real: readonly Agent[]
  readonly bundlePem: string
}

const PREFIX = `spiffe://${TRUST_DOMAIN}`
const IN_TIME_MS = 300_000
export const pathOf = (spiffeId: string) => spiffeId.slice(PREFIX.length)
/** The entry of an agent that nobody ever changes. */
export const keptId = (agentId: string) => `kept${pathOf(agentId).replaceAll('/', '-')}`
/** What a workload of that agent is. */
export const keptSpiffeId = (agentId: string) => `${PREFIX}/${keptId(agentId)}`

export async function openSetting(options: SettingOptions): Promise<Setting> {
  const { baseHost, serverName, agents: count } = options
  await using stack = new AsyncDisposableStack()
  const postgres = stack.use(
    await startPostgres({
      port: DATABASE_PORT,
      settings: ['listen_addresses=*'],
      hba: ['host all all 10.88.0.0/24 trust'],
    }),
  )
  await postgres.createDatabase('chaos')
  const connection = `host=${baseHost} port=${DATABASE_PORT} user=steeple dbname=chaos sslmode=disable`
  const servers: ChaosServer[] = []
  for (const place of options.servers) {
    const server = stack.use(launchServer({ ...place, connection }))
    await server.ready()
    servers.push(server)
  }
  const [first] = servers
  if (first === undefined) throw new Error('there are no servers')

  const addresses = servers.map(({ host }) => ({ host, port: SERVER_PORT }))
  const [address, ...others] = addresses
  if (address === undefined) throw new Error('there are no servers')
  const ours = addresses.map(({ host, port }) => `${host}:${port}`).join()
  const real = [stack.use(await startAgent('steeple', first.asServer, { serverAddress: ours }))]
  if (existsSync(program('spire', 'agent')[0])) {
    const options = { serverAddress: serverName }
    real.push(stack.use(await startAgent('spire', first.asServer, options)))
  } else process.stderr.write('SKIPPED spire-agent: run test/interop/peers install identity\n')

  const bundlePem = (await first.asServer.cli('steeple', 'bundle', 'show')).stdout
  const simulated: SimulatedAgent[] = []
  while (simulated.length < count) {
    const part = await patiently(() =>
      simulateAgents({
        ...{ trustDomain: TRUST_DOMAIN, bundlePem, servers: [address, ...others] },
        count: Math.min(AT_ONCE, count - simulated.length),
        attestorOf: byJoinTokens(first.asServer.socket),
      }),
    )
    simulated.push(...stack.use(part).agents)
  }
  await createKept(
    first,
    [...real, ...simulated].map(({ id }) => id),
  )
  await allServed(real, simulated)
  const opened = stack.move()
  return {
    ...{ postgres, servers, simulated, real, bundlePem },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

async function allServed(
  real: readonly Agent[],
  simulated: readonly SimulatedAgent[],
): Promise<void> {
  await until(
    'every agent to have its SVID',
    async () => simulated.every((agent) => agent.holds(keptId(agent.id))),
    IN_TIME_MS,
  )
  for (const agent of real) {
    const served = async () => (await agent.cli('steeple', 'api', 'fetch', 'x509')).code === 0
    await until(`the SVID of ${agent.kind}`, served)
  }
}

/** On a machine with other work, many at once run into the deadline of their calls. */
const AT_ONCE = 10
const MAX_TRIES = 5

async function patiently<T>(start: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await start()
    } catch (error) {
      if (tries === MAX_TRIES) throw error
    }
  }
}

const BATCH = 50

async function createKept({ admin }: ChaosServer, agentIds: readonly string[]): Promise<void> {
  const entries = agentIds.map(
    (agentId): EntryInput => ({
      id: keptId(agentId),
      parent_id: { trust_domain: TRUST_DOMAIN, path: pathOf(agentId) },
      spiffe_id: { trust_domain: TRUST_DOMAIN, path: pathOf(keptSpiffeId(agentId)) },
      selectors: [{ type: 'unix', value: `uid:${process.getuid?.()}` }],
    }),
  )
  for (let from = 0; from < entries.length; from += BATCH) {
    const batch = entries.slice(from, from + BATCH)
    const { results } = await call<BatchCreateEntryResponse>((done) =>
      admin.entry.BatchCreateEntry({ entries: batch }, deadline(), done),
    )
    const refused = results.find(({ status }) => status?.code !== 0)
    if (refused !== undefined) throw new Error(`an entry was refused: ${refused.status?.message}`)
  }
}
