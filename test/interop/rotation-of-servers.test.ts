/**
 * Three servers of one trust domain on one PostgreSQL, with a real spire-agent and an agent of ours at different servers:
 * one guided rotation replaces the authorities of all, and a server that is lost for good is left out, while workloads
 * of either agent go on verifying each other at every step.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Agent, type Server, startAgent, startServer, steeple } from '../processes/cluster.ts'
import { lackingPostgres, type Postgres, startPostgres } from '../processes/postgres.ts'
import { type Result, run, until } from '../processes/process.ts'
import { interop } from './interop.ts'

/** The shorter life is that of workloads: what a lost server signed has ended soon. */
const SETTINGS = 'default_x509_svid_ttl = "1m"  default_jwt_svid_ttl = "30s"  agent_ttl = "1m"'
const COMMAND = { timeoutMs: 200_000 } as const

let postgres: Postgres
beforeAll(async () => {
  if (lackingPostgres === undefined) postgres = await startPostgres()
})
afterAll(() => postgres?.[Symbol.asyncDispose]())

const dataStore = (connection: string) =>
  `database_type = "postgres"  connection_string = "${connection} sslmode=disable"`

const root = (server: Server, ...words: readonly string[]) =>
  run(steeple, [...words, '-socketPath', server.socket], COMMAND)
const rotate = (server: Server, ...words: readonly string[]) =>
  root(server, 'authority', 'rotate', ...words)

function mustBeDone({ code, stdout, stderr }: Result): string {
  expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' })
  return stdout
}

async function listed(server: Server) {
  const { stdout } = await root(server, 'servers', 'list', '-output', 'json')
  return JSON.parse(stdout).servers as {
    readonly key: string
    readonly state: string
    readonly x509: { readonly active: string; readonly old: string }
    readonly jwt: { readonly active: string }
  }[]
}

async function keyOf(server: Server): Promise<string> {
  return (await listed(server)).find(({ state }) => state === 'HERE')?.key ?? ''
}

async function register(server: Server, agent: Agent): Promise<void> {
  const path = agent.id.split('/').at(-1)
  const entry = ['-parentID', agent.id, '-spiffeID', `spiffe://example.org/w/${path}`] as const
  const who = ['-selector', `unix:uid:${process.getuid?.()}`] as const
  mustBeDone(await server.cli('steeple', 'entry', 'create', ...entry, ...who))
}

/** Each agent's SVID is verified by openssl against the bundle that the other one gives its workloads. */
async function mustVerifyEachOther(agents: readonly Agent[]): Promise<void> {
  for (const agent of agents) {
    const written = await agent.cli('spire', 'api', 'fetch', 'x509', '-write', agent.dir)
    expect(written.code, written.stderr).toBe(0)
  }
  for (const holder of agents) {
    for (const verifier of agents) {
      const verified = await run('openssl', [
        ...['verify', '-CAfile', join(verifier.dir, 'bundle.0.pem')],
        join(holder.dir, 'svid.0.pem'),
      ])
      expect(verified.code, `${holder.kind} by ${verifier.kind}: ${verified.stderr}`).toBe(0)
    }
  }
  for (const holder of agents) {
    const fetched = await holder.cli('spire', 'api', 'fetch', 'jwt', '-audience', 'a')
    const token = /token\(.*\):\s+(\S+)/.exec(fetched.stdout)?.[1] ?? ''
    for (const verifier of agents) {
      const words = ['api', 'validate', 'jwt', '-audience', 'a', '-svid', token]
      const verified = await verifier.cli('spire', ...words)
      expect(verified.code, `${holder.kind} by ${verifier.kind}: ${verified.stderr}`).toBe(0)
    }
  }
}

/** What `one` answers an operator who names what signs at `two`. */
async function askedOfAnother(one: Server, two: Server): Promise<string[]> {
  const said: string[] = []
  for (const kind of ['x509', 'jwt']) {
    const shown = await two.cli('spire', 'localauthority', kind, 'show', '-output', 'json')
    const id: string = JSON.parse(shown.stdout).active.authority_id
    for (const step of ['activate', 'taint', 'revoke']) {
      const words = ['localauthority', kind, step, '-authorityID', id]
      const { code, stdout, stderr } = await one.cli('spire', ...words)
      said.push(`${kind} ${step}: ${code} ${`${stdout}${stderr}`.replaceAll(id, 'ID').trim()}`)
    }
  }
  return said
}

const hasSvid = async (agent: Agent) =>
  (await agent.cli('spire', 'api', 'fetch', 'x509')).code === 0

async function threeServers(database: string) {
  await using stack = new AsyncDisposableStack()
  const connection = await postgres.createDatabase(database)
  const options = { settings: SETTINGS, dataStore: dataStore(connection) }
  const one = stack.use(await startServer('steeple', options))
  const two = stack.use(await startServer('steeple', options))
  const three = stack.use(await startServer('steeple', options))
  const opened = stack.move()
  return { one, two, three, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

if (lackingPostgres !== undefined) test.skip(`several servers (${lackingPostgres})`, () => {})
else {
  interop(
    'one rotation replaces the authorities of three servers, and cuts off no workload of either kind of agent',
    ['spire-agent', 'openssl'],
    async () => {
      await using servers = await threeServers('rotation')
      const { one, two, three } = servers
      await using theirs = await startAgent('spire', one)
      await using ours = await startAgent('steeple', two)
      const agents = [theirs, ours]
      for (const agent of agents) await register(three, agent)
      for (const agent of agents) {
        await until(`an SVID of ${agent.kind}`, () => hasSvid(agent), 60_000)
      }
      await mustVerifyEachOther(agents)
      const before = await listed(one)
      expect(before.map(({ state }) => state).sort()).toEqual(['HERE', 'LIVING', 'LIVING'])

      for (const step of ['prepare', 'activate']) {
        mustBeDone(await rotate(three, 'x509', '-yes', '-until', step))
        await mustVerifyEachOther(agents)
      }
      const old = (await listed(two)).map(({ x509 }) => x509.old)
      expect(old.sort()).toEqual(before.map(({ x509 }) => x509.active).sort())
      // Whoever is asked goes on where the servers are; what is tainted is renewed at once.
      mustBeDone(await rotate(two, 'x509', '-yes', '-force', '-until', 'taint'))
      await mustVerifyEachOther(agents)
      const revoked = mustBeDone(await rotate(one, 'x509', '-yes'))
      expect(revoked.match(/Revoked X.509 authority/g)).toHaveLength(3)
      await mustVerifyEachOther(agents)
      const jwt = mustBeDone(await rotate(one, 'jwt', '-yes'))
      expect(jwt.match(/Revoked JWT authority/g)).toHaveLength(3)
      await mustVerifyEachOther(agents)
    },
  )

  interop(
    'what a server that is lost for good signed with is tainted and revoked from another, and the living go on',
    ['spire-agent', 'openssl'],
    async () => {
      await using servers = await threeServers('lost')
      const { one, two, three } = servers
      await using theirs = await startAgent('spire', one)
      await using ours = await startAgent('steeple', two)
      const agents = [theirs, ours]
      for (const agent of agents) await register(three, agent)
      for (const agent of agents) {
        await until(`an SVID of ${agent.kind}`, () => hasSvid(agent), 60_000)
      }
      const lost = await keyOf(three)
      three.process().kill('SIGKILL')
      const named = await until(
        'the lost server to be named',
        async () =>
          (await listed(one)).find(({ key, state }) => key === lost && state === 'SILENT'),
        30_000,
      )
      const refused = await rotate(two, 'x509', '-yes')
      expect(refused.code).toBe(1)
      expect(refused.stderr).toContain(`-without ${lost}`)
      const early = await root(one, 'servers', 'forget', '-key', lost)
      expect(early.stderr).toContain(`authority rotate x509 -authorityID ${named.x509.active}`)
      const spire = await two.cli(
        ...(['spire', 'localauthority', 'x509', 'taint', '-authorityID'] as const),
        named.x509.active,
      )
      expect(spire.stderr + spire.stdout).toContain('unexpected authority ID')

      for (const kind of ['x509', 'jwt'] as const) {
        const { active } = named[kind]
        const gone = await rotate(two, kind, '-yes', '-authorityID', active, '-without', lost)
        expect(mustBeDone(gone)).toContain(`authority ${active}`)
        await mustVerifyEachOther(agents)
      }
      expect((await listed(one)).map(({ key }) => key)).not.toContain(lost)
      const { stdout: bundle } = await one.cli('spire', 'bundle', 'show', '-format', 'spiffe')
      expect(bundle).not.toContain(named.jwt.active)
    },
  )

  interop(
    'a rotation goes on after the server that guided it was killed, and can be taken back',
    ['spire-agent'],
    async () => {
      await using servers = await threeServers('resumed')
      const { one, two, three } = servers
      mustBeDone(await rotate(one, 'x509', '-yes', '-until', 'prepare'))
      const prepared = mustBeDone(await rotate(one, 'x509', '-abort'))
      expect(prepared.match(/Took back the prepared authority/g)).toHaveLength(3)
      mustBeDone(await rotate(two, 'x509', '-yes', '-until', 'activate'))
      one.process().kill('SIGKILL')
      await one.restart()
      const on = mustBeDone(await rotate(three, 'x509', '-yes', '-force'))
      expect(on.match(/Revoked X.509 authority/g)).toHaveLength(3)
      expect(on).not.toContain('Prepared')
    },
  )

  interop(
    'of an authority of another server, a real spire-server and ours say the same',
    ['spire-server'],
    async () => {
      const said: string[][] = []
      for (const kind of ['spire', 'steeple'] as const) {
        const connection = await postgres.createDatabase(`foreign-${kind}`)
        const options = { settings: SETTINGS, dataStore: dataStore(connection) }
        await using one = await startServer(kind, options)
        await using two = await startServer(kind, options)
        said.push(await askedOfAnother(one, two))
      }
      const [theirs, ours] = said
      expect(theirs).toHaveLength(6)
      expect(ours).toEqual(theirs)
    },
  )

  interop(
    'a copied data directory is refused while its server lives',
    ['spire-agent'],
    async () => {
      const connection = await postgres.createDatabase('copied')
      const options = { settings: SETTINGS, dataStore: dataStore(connection) }
      await using one = await startServer('steeple', options)
      const copy = join(one.dir, 'copy')
      const conf = join(one.dir, 'copy.conf')
      mustBeDone(await run('cp', ['-r', one.dir, `${one.dir}-copy`]))
      mustBeDone(await run('mv', [`${one.dir}-copy`, copy]))
      const edits = ['-e', `s#${one.dir}#${copy}#`, '-e', `s#"${one.port}"#"0"#`]
      const { stdout: text } = await run('sed', [...edits, join(one.dir, 'server.conf')])
      writeFileSync(conf, text)
      const second = await run(steeple, ['server', 'run', '-config', conf], COMMAND)
      expect(second.code).toBe(1)
      expect(second.stdout + second.stderr).toContain('its data_dir was copied')
      rmSync(copy, { recursive: true })
    },
  )
}
