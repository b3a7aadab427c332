/**
 * Two servers on one PostgreSQL, SPIRE's and ours in turn, on the same database server: how soon what was written at one is
 * given to agents by the other, and how long a workload waits for something new when its agent's server is killed.
 */
import type { BatchCreateEntryResponse } from '../proto/gen/spire/api/server/entry/v1/BatchCreateEntryResponse.ts'
import type { GetAuthorizedEntriesResponse } from '../proto/gen/spire/api/server/entry/v1/GetAuthorizedEntriesResponse.ts'
import { systemClock } from '../spiffe/clock.ts'
import { attestByHand, byToken } from '../test/interop/suites/node-by-hand.ts'
import { type Admin, call, connectAdmin, deadline } from '../test/kill/clients.ts'
import { followWorkload, type Workload } from '../test/kill/workload.ts'
import {
  type Agent,
  generateToken,
  type Kind,
  type Server,
  startAgent,
  startServer,
} from '../test/processes/cluster.ts'
import { lackingPostgres, type Postgres, startPostgres } from '../test/processes/postgres.ts'
import { openRelay, type Relay } from '../test/processes/relay.ts'
import { type Figure, keepFigures, print } from './issuing/figures.ts'
import { getAuthorizedEntries } from './issuing/method.ts'
import { openRawCalls } from './issuing/raw-calls.ts'
import { type Spread, spread } from './percentiles.ts'

/** SPIRE needs seconds for each, so fewer rounds tell enough. */
const CONVERGENCE_ROUNDS = { steeple: 100, spire: 10 } as const satisfies Record<Kind, number>
const FAILOVER_ROUNDS = { steeple: 8, spire: 5 } as const satisfies Record<Kind, number>
/** Between two looks. */
const LOOK_MS = 2
const DOMAIN = 'example.org'

type Spreads = Map<Kind, Spread>

export async function benchSeveralServers(kinds: readonly Kind[]): Promise<void> {
  if (lackingPostgres !== undefined) return console.log(`several servers: ${lackingPostgres}`)
  await using postgres = await startPostgres({ settings: ['fsync=on'] })
  const convergence: Spreads = new Map()
  const balanced: Spreads = new Map()
  const addressed: Spreads = new Map()
  for (const kind of kinds) {
    await using pair = await openPair(kind, postgres)
    convergence.set(kind, spread(await converge(pair, CONVERGENCE_ROUNDS[kind])))
    await using behind = await throughBalancer(pair)
    balanced.set(kind, spread(await failOver(pair, behind, FAILOVER_ROUNDS[kind])))
  }
  if (kinds.includes('steeple')) {
    await using pair = await openPair('steeple', postgres, 'addressed')
    await using behind = await withAddresses(pair)
    addressed.set('steeple', spread(await failOver(pair, behind, FAILOVER_ROUNDS.steeple)))
  }
  keepFigures('several-servers', [
    ...figuresOf('an entry written at one server → given to agents by the other', convergence),
    ...figuresOf('server killed → a new SVID by the other, behind a balancer', balanced),
    ...figuresOf('the same, the agent with both addresses', addressed),
  ])
}

function figuresOf(what: string, spreads: Spreads): readonly Figure[] {
  return (['p50', 'p99'] as const).map((quantile) => {
    const of = new Map([...spreads].map(([kind, one]) => [kind, one[quantile]] as const))
    return print({ what: `${what}, ${quantile}`, unit: 'ms', of, isCost: true })
  })
}

interface Pair extends AsyncDisposable {
  readonly kind: Kind
  readonly one: Server
  readonly two: Server
}

async function openPair(kind: Kind, postgres: Postgres, name: string = kind): Promise<Pair> {
  await using stack = new AsyncDisposableStack()
  const connection = await postgres.createDatabase(name)
  const dataStore = `database_type = "postgres"  connection_string = "${connection} sslmode=disable"`
  const one = stack.use(await startServer(kind, { dataStore }))
  const two = stack.use(await startServer(kind, { dataStore }))
  const opened = stack.move()
  return { kind, one, two, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

async function create(admin: Admin, parentId: string, path: string): Promise<void> {
  const entry = {
    parent_id: { trust_domain: DOMAIN, path: new URL(parentId).pathname },
    spiffe_id: { trust_domain: DOMAIN, path },
    selectors: [{ type: 'unix', value: `uid:${process.getuid?.()}` }],
  }
  const { results } = await call<BatchCreateEntryResponse>((done) =>
    admin.entry.BatchCreateEntry({ entries: [entry] }, deadline(), done),
  )
  if (results[0]?.status?.code !== 0) throw new Error(`refused: ${results[0]?.status?.message}`)
}

/** @returns milliseconds from each acknowledgement until an agent of the other server is given the entry */
async function converge({ one, two }: Pair, rounds: number): Promise<number[]> {
  const node = await attestByHand(one, byToken(await generateToken(one)))
  await using calls = await openRawCalls(two, node)
  using admin = connectAdmin(one.socket)
  const method = getAuthorizedEntries()
  const question = method.message({})
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const path = `/converge/${round}`
    await create(admin, node.id, path)
    const since = performance.now()
    for (;;) {
      // Cast: what that method answers.
      const reply = method.answer(
        await calls.call(method.path, question),
      ) as GetAuthorizedEntriesResponse
      if (reply.entries.some(({ spiffe_id: id }) => id?.path === path)) break
      await systemClock.sleep(LOOK_MS)
    }
    times.push(performance.now() - since)
  }
  return times
}

/** An agent, and how it finds its servers. */
interface Behind extends AsyncDisposable {
  readonly agent: Agent
  readonly workload: Workload
  /** The server that it is connected to, and the other. */
  inUse(): readonly [Server, Server]
  /** The server has been killed. */
  lost(server: Server): void
}

/** One address, which leads to the other server as soon as one is lost: a balancer that knows at once. */
async function throughBalancer({ kind, one, two }: Pair): Promise<Behind> {
  await using stack = new AsyncDisposableStack()
  const relay = stack.use(await openRelay(one.port))
  const agent = stack.use(await startAgent(kind, { ...one, port: relay.port }))
  let used: readonly [Server, Server] = [one, two]
  return {
    ...(await followed(agent, stack)),
    inUse: () => used,
    lost(server) {
      used = server === one ? [two, one] : [one, two]
      relay.lead(used[0].port)
    },
  }
}

async function withAddresses({ kind, one, two }: Pair): Promise<Behind> {
  await using stack = new AsyncDisposableStack()
  const [first, second]: readonly [Relay, Relay] = [
    stack.use(await openRelay(one.port)),
    stack.use(await openRelay(two.port)),
  ]
  const serverAddress = `127.0.0.1:${first.port},127.0.0.1:${second.port}`
  const agent = stack.use(await startAgent(kind, one, { serverAddress }))
  return {
    ...(await followed(agent, stack)),
    inUse: () => (first.connections() > 0 ? [one, two] : [two, one]),
    lost: () => {},
  }
}

async function followed(agent: Agent, stack: AsyncDisposableStack) {
  const over = new AbortController()
  stack.defer(() => over.abort())
  const workload = followWorkload(agent.socket, over.signal)
  const opened = stack.move()
  return { agent, workload, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

/** @returns milliseconds from each kill until the workload has an SVID of an entry that was written after it */
async function failOver({ one }: Pair, behind: Behind, rounds: number): Promise<number[]> {
  const { agent, workload, inUse, lost } = behind
  using first = connectAdmin(one.socket)
  await create(first, agent.id, '/failover/first')
  await workload.when('the first SVID', (served) => served.has('/failover/first'))
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const [used, other] = inUse()
    const path = `/failover/${round}`
    using admin = connectAdmin(other.socket)
    const since = performance.now()
    used.process().kill('SIGKILL')
    lost(used)
    await create(admin, agent.id, path)
    await workload.when(path, (served) => served.has(path))
    times.push(performance.now() - since)
    await used.restart()
  }
  return times
}
