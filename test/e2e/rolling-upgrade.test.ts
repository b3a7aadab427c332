/**
 * Three servers on one PostgreSQL are replaced one by one by the next version, whose first one migrates, and then one by one by
 * the version before: under writes at all three, with agents and workloads that hold SVIDs of a short life and need new ones.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import type { ListEntriesResponse } from '../../proto/gen/spire/api/server/entry/v1/ListEntriesResponse.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { openJwtSource, openX509Source } from '../../workload/workload.ts'
import { call, connectAdmin, deadline } from '../kill/clients.ts'
import { type Server, startAgent, startServer } from '../processes/cluster.ts'
import { withPostgres } from '../processes/postgres.ts'
import { until } from '../processes/process.ts'
import { byJoinTokens, simulateAgents } from '../processes/simulated-agents.ts'
import { NEXT_NAME } from '../server/store/postgres/next-migration.ts'
import { persist, type Written, writeEntries } from './rolling-upgrade/load.ts'

const PRELOADED = pathToFileURL(
  join(import.meta.dirname, 'rolling-upgrade', 'next-version.ts'),
).href
const NEXT = { NODE_OPTIONS: `--import=${PRELOADED}` }
const THIS = { NODE_OPTIONS: '' }
const AGENTS = 10
const SETTINGS = 'default_x509_svid_ttl = "40s"  agent_ttl = "60s"'
const FETCH_PACE_MS = 250

const uid = `unix:uid:${process.getuid?.()}`

const placeOf = ({ port }: Server) => ({ host: '127.0.0.1', port })

async function must(server: Server, ...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await server.cli('steeple', ...words)
  expect({ words, code, stderr }).toMatchObject({ code: 0 })
  return stdout
}

/** What reads and writes every table, once more than the load does. */
async function useEverything(server: Server, name: string): Promise<void> {
  await must(server, 'bundle', 'show')
  await must(server, 'agent', 'list')
  await must(server, 'token', 'generate')
  await must(
    ...([server, 'federation', 'create', '-trustDomain', `${name}.example`] as const),
    ...['-bundleEndpointURL', `https://${name}.example`, '-bundleEndpointProfile', 'https_web'],
  )
  expect(await must(server, 'federation', 'list')).toContain(`${name}.example`)
}

async function listed(server: Server): Promise<readonly string[]> {
  using admin = connectAdmin(server.socket)
  const ids: string[] = []
  for (let token = ''; ; ) {
    const page = { page_size: 500, page_token: token }
    const reply = await call<ListEntriesResponse>((done) =>
      admin.entry.ListEntries(page, deadline(), done),
    )
    ids.push(...reply.entries.map(({ id }) => id))
    token = reply.next_page_token
    if (token === '') return ids
  }
}

withPostgres('three servers on one PostgreSQL', (postgres) => {
  test('become the next version one by one, and the one before again: no acknowledged write is lost, nobody is without an SVID, and every call is answered', {
    timeout: 600_000,
  }, async () => {
    const url = await postgres().createDatabase('rolling')
    const dataStore = `database_type = "postgres"  connection_string = "${url}"`
    await using stack = new AsyncDisposableStack()
    const start = async () =>
      stack.use(await startServer('steeple', { dataStore, settings: SETTINGS }))
    const first = await start()
    const servers = [first, await start(), await start()]
    const migrated = () => postgres().sql('select name from kysely_migration order by 1', 'rolling')

    const serverAddress = servers.map(({ port }) => `127.0.0.1:${port}`).join()
    const agent = stack.use(await startAgent('steeple', first, { serverAddress }))
    await must(
      ...([first, 'entry', 'create', '-parentID', agent.id, '-selector', uid] as const),
      ...['-spiffeID', 'spiffe://example.org/workload', '-x509SVIDTTL', '40'],
    )
    const socket = `unix://${agent.socket}`
    const x509 = stack.use(await openX509Source({ socket }))
    const jwt = stack.use(await openJwtSource({ socket }))
    const simulation = stack.use(
      await simulateAgents({
        servers: [placeOf(first), ...servers.slice(1).map(placeOf)],
        ...{ trustDomain: 'example.org', count: AGENTS, attestorOf: byJoinTokens(first.socket) },
        bundlePem: await must(first, 'bundle', 'show'),
      }),
    )
    const parents = simulation.agents.map(({ id }) => new URL(id).pathname)

    const over = new AbortController()
    const written: Written = { kept: new Map(), deleted: new Set(), refused: [] }
    const counts = { retries: 0, tokens: 0, tokenRetries: 0, svids: new Set<string>() }
    const admins = servers.map(({ socket }) => stack.use(connectAdmin(socket)))
    const writing = servers.map((_, at) => {
      const turned = [...admins.slice(at), ...admins.slice(0, at)]
      const load = { prefix: `writer${at}`, admins: turned, parents }
      return writeEntries(load, written, () => counts.retries++, over.signal)
    })
    /** A token of its own each time, so that a server has to sign it; the SVID in hand must be valid at every look. */
    const fetching = (async () => {
      for (; !over.signal.aborted; counts.tokens++) {
        const audience = `a${counts.tokens}`
        await persist(
          () => jwt.fetchJwtSvid({ audience }),
          (why, isLast) => (isLast ? written.refused.push(`token: ${why}`) : counts.tokenRetries++),
        )
        const { defaultSvid: svid } = x509.current()
        counts.svids.add(svid.expiresAt.toISOString())
        if (svid.expiresAt <= systemClock.now()) written.refused.push('the SVID has expired')
        await systemClock.sleep(FETCH_PACE_MS, over.signal)
      }
    })()

    const outputs: string[] = []
    let steps = 0
    const settled = async (...used: readonly (Server | undefined)[]) => {
      steps += 1
      await until(`all agents in sync after step ${steps}`, async () => {
        const { inSync, withoutSvid } = simulation.summary()
        return inSync === AGENTS && withoutSvid === 0
      })
      for (const [at, server] of used.entries()) {
        if (server !== undefined) await useEverything(server, `step${steps}-${at}`)
      }
    }
    await settled(...servers) // whatever is prepared once is prepared before
    expect(await migrated()).not.toContain(NEXT_NAME)
    for (const [version, env] of [['next', NEXT] as const, ['this', THIS] as const]) {
      for (const [at, server] of servers.entries()) {
        outputs.push(server.process().output())
        await server.restart(env)
        expect(await migrated()).toContain(NEXT_NAME)
        const saysSo = server.process().output().includes('of the next version')
        expect(saysSo).toBe(version === 'this')
        await settled(server, servers[(at + 1) % servers.length]) // one of each version, but at the ends
      }
    }
    over.abort()
    await Promise.all([...writing, fetching])

    expect(written.refused).toEqual([])
    expect(written.kept.size).toBeGreaterThan(100)
    for (const server of servers) {
      const ids = new Set(await listed(server))
      expect([...written.kept.keys()].filter((id) => !ids.has(id))).toEqual([])
      expect([...written.deleted].filter((id) => ids.has(id))).toEqual([])
    }
    await until('agents to hold what was written', async () =>
      [...written.kept].every(([id, parent]) =>
        simulation.agents.find((one) => one.id.endsWith(parent))?.holds(id),
      ),
    )
    expect(simulation.summary()).toMatchObject({ stopped: 0, withoutSvid: 0 })
    expect(counts.svids.size).toBeGreaterThan(1) // it was renewed meanwhile
    const logs = [...outputs, ...servers.map((server) => server.process().output())].join('\n')
    expect(logs.match(/.*(?:cached plan|internal error|does not exist|Unhandled).*/g)).toBeNull()
    process.stdout.write(
      `rolled three servers there and back: ${written.kept.size} entries kept, ${written.deleted.size} deleted, ${counts.retries} writes and ${counts.tokenRetries} of ${counts.tokens} tokens tried again, ${counts.svids.size} SVIDs of one workload\n`,
    )
  })
})
