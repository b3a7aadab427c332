/** An agent with more than one address of its servers: whatever happens to one of them, its workloads have SVIDs. */
import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type Agent, program, type Server, startAgent, startServer } from '../processes/cluster.ts'
import { withPostgres } from '../processes/postgres.ts'
import { until } from '../processes/process.ts'
import { openRelay, type Relay } from '../processes/relay.ts'
import { byJoinTokens, simulateAgents } from '../processes/simulated-agents.ts'

const uid = `unix:uid:${process.getuid?.()}`

const create = async (server: Server, parent: string, name: string) => {
  const words = ['entry', 'create', '-entryID', name, '-parentID', parent, '-selector', uid]
  const { code, stderr } = await server.cli(
    server.kind,
    ...[...words, '-spiffeID', `spiffe://example.org/${name}`],
  )
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
}

/** Workloads are asked for in turn until the answer has this name; every answer must be one. */
async function served(agent: Agent, name: string): Promise<void> {
  await until(`an SVID of ${name}`, async () => {
    const { code, stdout, stderr } = await agent.cli('steeple', 'api', 'fetch', 'x509')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    return stdout.includes(`spiffe://example.org/${name}\n`)
  })
}

interface Setting extends AsyncDisposable {
  readonly server: Server
  readonly agent: Agent
  /** The one that the agent's connection goes through, and the other. */
  inUse(): readonly [Relay, Relay]
}

/** A server behind two addresses, and an agent of ours that knows both, with an SVID for the workload `first`. */
async function setUp(kind: 'steeple' | 'spire'): Promise<Setting> {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startServer(kind))
  const [one, two] = [
    stack.use(await openRelay(server.port)),
    stack.use(await openRelay(server.port)),
  ]
  const serverAddress = `127.0.0.1:${one.port},127.0.0.1:${two.port}`
  const agent = stack.use(await startAgent('steeple', server, { serverAddress }))
  await create(server, agent.id, 'first')
  await until('the first SVID', async () => {
    return (await agent.cli('steeple', 'api', 'fetch', 'x509')).code === 0
  })
  const opened = stack.move()
  return {
    ...{ server, agent },
    inUse: () => (one.connections() > 0 ? [one, two] : [two, one]),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

const [spireServer] = program('spire', 'server')
const kinds = existsSync(spireServer) ? (['steeple', 'spire'] as const) : (['steeple'] as const)
if (kinds.length === 1)
  process.stderr.write(
    'SKIPPED: an agent between two addresses of spire-server, which is not installed\n',
  )

describe.for(kinds)('an agent with two addresses of a %s server', (kind) => {
  test('leaves one that dies for the other, comes back when that one dies, and its workloads are served all the time', async () => {
    await using setting = await setUp(kind)
    const { server, agent, inUse } = setting
    for (const name of ['second', 'third']) {
      const [used, other] = inUse()
      await used.cut()
      await create(server, agent.id, name)
      await served(agent, name)
      expect(other.connections()).toBeGreaterThan(0)
      // Where the server pushes, the loss is noticed at once, and told.
      if (kind === 'steeple') {
        expect(agent.process().output()).toContain(`the server at 127.0.0.1:${used.port} gave no`)
      }
      await used.mend()
    }
  })

  test('leaves one that lets nothing through any more, and its workloads are served all the time', async () => {
    await using setting = await setUp(kind)
    const { server, agent, inUse } = setting
    const [used, other] = inUse()
    used.freeze()
    await create(server, agent.id, 'second')
    await served(agent, 'second')
    expect(other.connections()).toBeGreaterThan(0)
  })
})

test('an agent whose first address is dead attests and serves', async () => {
  await using server = await startServer('steeple')
  await using dead = await openRelay(server.port)
  await dead.cut()
  const serverAddress = `127.0.0.1:${dead.port}, 127.0.0.1`
  await using agent = await startAgent('steeple', server, { serverAddress })
  await create(server, agent.id, 'first')
  await until('the first SVID', async () => {
    return (await agent.cli('steeple', 'api', 'fetch', 'x509')).code === 0
  })
})

const THOUSAND = { timeout: 400_000 }

test(
  'of a thousand agents whose server is killed, every one comes back by itself',
  THOUSAND,
  async () => {
    await using server = await startServer('steeple')
    const count = 1_000
    await using simulation = await simulateAgents({
      servers: [{ host: '127.0.0.1', port: server.port }],
      ...{ trustDomain: 'example.org', count, attestorOf: byJoinTokens(server.socket) },
      bundlePem: (await server.cli('steeple', 'bundle', 'show')).stdout,
    })
    const allInSync = async () => simulation.summary().inSync === count
    await until('all agents to be in sync', allInSync, THOUSAND.timeout)
    server.process().kill('SIGKILL')
    await server.process().ended
    await until('all agents to notice', async () => simulation.summary().inSync === 0)
    await server.restart()
    await until('all agents to be in sync again', allInSync, THOUSAND.timeout)
    expect(simulation.agents.filter((agent) => agent.syncs() < 2)).toEqual([])
    const last = simulation.agents.at(-1)
    await create(server, last?.id ?? '', 'after')
    await until('the SVID of an entry made after', async () => last?.holds('after'))
    expect(simulation.summary()).toMatchObject({ stopped: 0, entries: 1, withoutSvid: 0 })
  },
)

withPostgres('two servers on one PostgreSQL', (postgres) => {
  const FRESH = { timeout: 300_000 }

  async function twoServers(name: string) {
    await using stack = new AsyncDisposableStack()
    const url = await postgres().createDatabase(name)
    const dataStore = `database_type = "postgres"  connection_string = "${url}"`
    const one = stack.use(await startServer('steeple', { dataStore }))
    const two = stack.use(await startServer('steeple', { dataStore }))
    const opened = stack.move()
    return { one, two, [Symbol.asyncDispose]: () => opened.disposeAsync() }
  }

  const addressesOf = (...servers: readonly Server[]) =>
    servers.map(({ port }) => `127.0.0.1:${port}`).join()

  test(
    'an agent whose server is killed, then stopped in its tracks, is told by the other, and its workloads are served all the time',
    FRESH,
    async () => {
      await using servers = await twoServers('killed')
      const { one, two } = servers
      await using agent = await startAgent('steeple', one, { serverAddress: addressesOf(one, two) })
      await create(one, agent.id, 'first')
      await until('the first SVID', async () => {
        return (await agent.cli('steeple', 'api', 'fetch', 'x509')).code === 0
      })
      one.process().kill('SIGKILL')
      await one.process().ended
      await create(two, agent.id, 'second')
      await served(agent, 'second')
      await one.restart()

      two.process().kill('SIGSTOP')
      await create(one, agent.id, 'third')
      await served(agent, 'third')
      two.process().kill('SIGCONT')
      await create(two, agent.id, 'fourth')
      await served(agent, 'fourth')
    },
  )

  test(
    'agents that are moved to and fro while entries are written lose no SVID of theirs, and keep none that was taken back',
    FRESH,
    async () => {
      await using servers = await twoServers('moved')
      const { one, two } = servers
      const count = 10
      await using simulation = await simulateAgents({
        servers: [
          { host: '127.0.0.1', port: one.port },
          { host: '127.0.0.1', port: two.port },
        ],
        ...{ trustDomain: 'example.org', count, attestorOf: byJoinTokens(one.socket) },
        bundlePem: (await one.cli('steeple', 'bundle', 'show')).stdout,
      })
      await until('all to be in sync', async () => simulation.summary().inSync === count)
      const kept = simulation.agents.map(({ id }, at) => ({ id, name: `kept-${at}` }))
      const lost: string[] = []
      for (const [at, { id, name }] of kept.entries()) {
        const agent = simulation.agents[at]
        await create(at % 2 === 0 ? one : two, id, name)
        await until(`the SVID of ${name}`, async () => agent?.holds(name))
        // What the server told that wrote it, the one that it moves to may not have read yet.
        agent?.move()
        const before = agent?.syncs() ?? 0
        await until(`${name} to have moved`, async () => (agent?.syncs() ?? 0) > before)
        if (agent?.holds(name) !== true || agent.entry(name)?.goneMs !== undefined) lost.push(name)
      }
      expect(lost).toEqual([])
      const gone = await two.cli('steeple', 'entry', 'delete', '-entryID', 'kept-0')
      expect(gone.code).toBe(0)
      const [first] = simulation.agents
      await until('the entry to be taken back', async () => first?.holds('kept-0') === false)
      for (let n = 0; n < 4; n++) {
        first?.move()
        const before = first?.syncs() ?? 0
        await until('another move', async () => (first?.syncs() ?? 0) > before)
        expect(first?.entryIds()).toEqual([])
      }
      expect(simulation.summary()).toMatchObject({ stopped: 0, entries: count - 1, withoutSvid: 0 })
    },
  )
})
