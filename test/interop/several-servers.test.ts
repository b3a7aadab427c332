/**
 * Three servers of ours on one PostgreSQL, seen by SPIRE's own programs: what `spire-server` writes at one of them it reads
 * at the others, and a `spire-agent` that attested at one goes on at another.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type Agent,
  generateToken,
  type Server,
  startAgent,
  startServer,
} from '../processes/cluster.ts'
import { lackingPostgres, type Postgres, startPostgres } from '../processes/postgres.ts'
import { until } from '../processes/process.ts'
import { openRelay } from '../processes/relay.ts'
import { interop, type Peer } from './interop.ts'

const uid = `unix:uid:${process.getuid?.()}`
const NEEDS: readonly Peer[] = ['spire-server', 'spire-agent']

let postgres: Postgres | undefined
beforeAll(async () => {
  if (lackingPostgres === undefined) postgres = await startPostgres()
})
afterAll(() => postgres?.[Symbol.asyncDispose]())

async function threeServers(database: string) {
  await using stack = new AsyncDisposableStack()
  const connection = await postgres?.createDatabase(database)
  const dataStore = `database_type = "postgres"  connection_string = "${connection} sslmode=disable"`
  const one = stack.use(await startServer('steeple', { dataStore }))
  const two = stack.use(await startServer('steeple', { dataStore }))
  const three = stack.use(await startServer('steeple', { dataStore }))
  const opened = stack.move()
  return { one, two, three, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

/** What SPIRE's command prints. */
async function told(server: Server, ...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await server.cli('spire', ...words)
  expect({ code, stderr }, words.join(' ')).toEqual({ code: 0, stderr: '' })
  return stdout
}

const register = (server: Server, agent: Agent, name: string) =>
  told(
    server,
    ...['entry', 'create', '-entryID', name, '-parentID', agent.id, '-selector', uid],
    ...['-spiffeID', `spiffe://example.org/${name}`],
  )

async function served(agent: Agent, name: string): Promise<void> {
  await until(`an SVID of ${name}`, async () => {
    const { stdout } = await agent.cli('spire', 'api', 'fetch', 'x509')
    return stdout.includes(`spiffe://example.org/${name}\n`)
  })
}

const check = (title: string, body: () => Promise<void>) =>
  lackingPostgres === undefined
    ? interop(title, NEEDS, body)
    : test.skip(`${title} (${lackingPostgres})`, () => {})

check(
  'what spire-server writes at one server it reads, changes and deletes at the others',
  async () => {
    await using servers = await threeServers('writes')
    const { one, two, three } = servers
    const entry = ['-entryID', 'web', '-parentID', 'spiffe://example.org/node']
    const web = [...entry, '-spiffeID', 'spiffe://example.org/web', '-selector', 'unix:uid:1']
    await told(one, 'entry', 'create', ...web)
    for (const server of [two, three]) {
      expect(await told(server, 'entry', 'show', '-entryID', 'web')).toContain('unix:uid:1')
    }
    await told(two, 'entry', 'update', ...web, '-dns', 'web.example')
    for (const server of [one, three]) {
      const shown = await told(server, 'entry', 'show', '-entryID', 'web')
      expect(shown).toMatch(/Revision\s+: 1\n[\s\S]*DNS name\s+: web\.example/)
    }
    const similar = await three.cli('spire', 'entry', 'create', ...web.slice(2))
    expect([similar.code, similar.stderr + similar.stdout]).toEqual([
      1,
      expect.stringContaining('AlreadyExists'),
    ])
    await told(three, 'entry', 'delete', '-entryID', 'web')
    for (const server of [one, two]) {
      expect(await told(server, 'entry', 'count')).toBe('0 registration entries\n')
    }
  },
)

check('all three servers show one bundle, with the authorities of each', async () => {
  await using servers = await threeServers('bundles')
  const { one, two, three } = servers
  const all = [one, two, three]
  const count = (bundle: string) => bundle.split('BEGIN CERTIFICATE').length - 1
  await until('one bundle', async () => {
    const shown = await Promise.all(all.map((server) => told(server, 'bundle', 'show')))
    return new Set(shown).size === 1 && count(shown[0] ?? '') === all.length
  })
  const jwks = await told(one, 'bundle', 'show', '-format', 'spiffe')
  for (const server of all) {
    const shown = await told(server, 'localauthority', 'jwt', 'show', '-output', 'json')
    expect(jwks).toContain(JSON.parse(shown).active.authority_id)
  }
})

check(
  'a spire-agent attests at one server by a token of another, and goes on at a third when that one is lost',
  async () => {
    await using servers = await threeServers('agents')
    const { one, two, three } = servers
    await using relay = await openRelay(one.port)
    const joinToken = await generateToken(two)
    const throughRelay = { ...one, port: relay.port }
    await using agent = await startAgent('spire', throughRelay, { joinToken })
    await register(three, agent, 'first')
    await served(agent, 'first')

    relay.lead(two.port)
    one.process().kill('SIGKILL')
    await one.process().ended
    await register(three, agent, 'second')
    await served(agent, 'second')
    expect(await told(three, 'agent', 'list')).toContain(agent.id)

    relay.lead(three.port)
    two.process().kill('SIGKILL')
    await two.process().ended
    await register(three, agent, 'third')
    await served(agent, 'third')
    await served(agent, 'first')
  },
)

check(
  'a spire-agent that is banned at one server is refused by the one that it is connected to',
  async () => {
    await using servers = await threeServers('bans')
    const { one, two, three } = servers
    await using agent = await startAgent('spire', one)
    await register(two, agent, 'first')
    await served(agent, 'first')
    await told(three, 'agent', 'ban', '-spiffeID', agent.id)
    expect(await agent.process().ended).toBe(1)
    expect(agent.process().output()).toContain('banned')
    expect(await told(two, 'agent', 'show', '-spiffeID', agent.id)).toMatch(/Banned\s+: true/)
  },
)
