/**
 * Guided rotation under our server with an agent of each kind, which are real processes: it waits for both, tells who is
 * waited for, and at the end neither has lost its identity. A real spire-server is told apart from ours, and the doctor
 * examines both.
 */
import { expect } from 'vitest'
import { type Agent, type Server, startAgent, startServer, steeple } from '../processes/cluster.ts'
import { run, until } from '../processes/process.ts'
import { interop } from './interop.ts'

const SETTINGS = 'default_jwt_svid_ttl = "30s"'
const COMMAND = { timeoutMs: 120_000 } as const

const root = (server: Server, ...words: readonly string[]) =>
  run(steeple, [...words, '-socketPath', server.socket], COMMAND)
const rotate = (server: Server, ...words: readonly string[]) =>
  root(server, 'authority', 'rotate', ...words)

async function register(server: Server, agent: Agent): Promise<void> {
  const path = agent.id.split('/').at(-1)
  const { code, stderr } = await server.cli(
    ...(['steeple', 'entry', 'create', '-parentID', agent.id] as const),
    ...[
      '-spiffeID',
      `spiffe://example.org/w/${path}`,
      '-selector',
      `unix:uid:${process.getuid?.()}`,
    ],
  )
  if (code !== 0) throw new Error(stderr)
}

const hasSvid = async (agent: Agent) =>
  (await agent.cli('spire', 'api', 'fetch', 'x509')).code === 0
const hasJwt = async (agent: Agent) =>
  (await agent.cli('spire', 'api', 'fetch', 'jwt', '-audience', 'a')).code === 0

interop(
  'a rotation of both kinds of authority waits for agents of either kind and cuts none of them off',
  ['spire-agent'],
  async () => {
    await using server = await startServer('steeple', { settings: SETTINGS })
    await using ours = await startAgent('steeple', server)
    await using theirs = await startAgent('spire', server)
    const agents = [ours, theirs]
    for (const agent of agents) {
      await register(server, agent)
      await until(`an SVID of ${agent.kind}`, () => hasSvid(agent))
      await until(`a JWT-SVID of ${agent.kind}`, () => hasJwt(agent))
    }
    const activated = await rotate(server, 'x509', '-yes', '-until', 'activate')
    expect(activated).toMatchObject({ code: 0, stderr: '' })
    const { stdout: inUse } = await rotate(server, 'x509', '-status')
    for (const { id } of agents) {
      expect(inUse).toContain(`${id}: 1 SVID of the agent itself`)
      expect(inUse).toContain(`${id}: 1 X.509-SVIDs of workloads`)
    }
    // What is tainted is renewed at once; untainted, it would be at half of its life.
    const tainted = await rotate(server, 'x509', '-yes', '-force', '-until', 'taint')
    expect(tainted.stdout).toContain('Tainted X.509 authority')
    const revoked = await rotate(server, 'x509', '-yes')
    expect(revoked).toMatchObject({ code: 0, stderr: '' })
    expect(revoked.stdout).toContain('Revoked X.509 authority')

    const jwt = await rotate(server, 'jwt', '-yes', '-output', 'json')
    expect(jwt).toMatchObject({ code: 0, stderr: '' })
    const events = jwt.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(events.flatMap(({ step }) => step ?? [])).toEqual([
      ...['prepare', 'activate', 'taint', 'revoke'],
    ])
    for (const agent of agents) {
      expect(await hasSvid(agent)).toBe(true)
      expect(await hasJwt(agent)).toBe(true)
    }
    const examined = await root(server, 'bundle', 'doctor')
    expect(examined).toMatchObject({ code: 0, stderr: '' })
  },
)

interop(
  'an agent that is not there is waited for by name, and a rotation that was stopped goes on',
  ['spire-agent'],
  async () => {
    await using server = await startServer('steeple')
    await using agent = await startAgent('spire', server)
    await agent.process()[Symbol.asyncDispose]()
    const prepared = await rotate(server, 'x509', '-yes', '-until', 'prepare')
    expect(prepared.code).toBe(0)
    const { stdout } = await rotate(server, 'x509', '-status')
    expect(stdout).toContain(`  ${agent.id}, last bundle: `)
    await agent.relaunch()
    expect(await rotate(server, 'x509', '-yes', '-until', 'activate')).toMatchObject({ code: 0 })
  },
)

interop(
  'a spire-server is examined too, and is said not to know what a guided rotation needs',
  ['spire-server'],
  async () => {
    await using server = await startServer('spire')
    const refused = await rotate(server, 'x509', '-yes')
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('this server cannot tell who has heard of an authority')
    expect(refused.stderr).toContain('steeple server localauthority x509 prepare')
    const examined = await root(server, 'bundle', 'doctor')
    expect(examined).toMatchObject({ code: 0, stderr: '' })
    expect(examined.stdout).toMatch(/^Nothing is wrong\n/)
    expect(examined.stdout).toContain('SVID of the server')
    expect(examined.stdout).toMatch(/JWT authority \w+ \(active\)/)
  },
)
