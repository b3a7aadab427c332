/**
 * Processes that try to be taken for others: by the number of one that has ended, by becoming another program, and by
 * what they make of the files that the agent looks at. The agents are real, and so are the processes.
 */
import { chmodSync, copyFileSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import {
  type Agent,
  type Kind,
  type Server,
  startAgent,
  startServer,
} from '../../processes/cluster.ts'
import { until } from '../../processes/process.ts'
import { askAfterChange, type Change } from './caller-that-changes.ts'
import { asRootOnBothKinds } from './on-both-kinds.ts'

const NOBODY = 65_534
const NAMES = ['root', 'nobody', 'victim']

async function register(server: Server, agent: Agent, name: string, selector: string) {
  const spiffeId = `spiffe://example.org/${name}`
  const words = ['-parentID', agent.id, '-spiffeID', spiffeId, '-selector', selector]
  const created = await server.cli(server.kind, 'entry', 'create', ...words)
  expect(created.code, created.stderr).toBe(0)
}

/** An agent that tells users and programs, and programs to be taken for. */
async function startWorld(kind: Kind) {
  await using stack = new AsyncDisposableStack()
  const dir = mkdtempSync(join(realpathSync(tmpdir()), 'steeple-attack-'))
  stack.defer(() => rmSync(dir, { recursive: true }))
  chmodSync(dir, 0o755)
  const victim = join(dir, 'victim')
  const setUid = join(dir, 'set-uid')
  for (const program of [victim, setUid]) copyFileSync('/bin/sleep', program)
  chmodSync(setUid, 0o4755)
  const server = stack.use(await startServer(kind))
  const options = { workloadAttestor: 'discover_workload_path = true' }
  const agent = stack.use(await startAgent(kind, server, options))
  chmodSync(agent.dir, 0o755)
  await register(server, agent, 'root', 'unix:uid:0')
  await register(server, agent, 'nobody', `unix:uid:${NOBODY}`)
  await register(server, agent, 'victim', `unix:path:${victim}`)
  const attack = (then: Change['then'], more: Partial<Change> = {}) => {
    rmSync(join(dir, `${then.kind}.relay`), { force: true })
    return askAfterChange({ api: agent.socket, dir, uid: NOBODY, then, names: NAMES, ...more })
  }
  await until('the identity of nobody', async () => {
    const got = await attack({ kind: 'stays' })
    return Array.isArray(got) && got.join() === 'nobody'
  })
  const kept = stack.move()
  return {
    agent,
    attack,
    victim: [victim, '600'],
    setUid: [setUid, '600'],
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

asRootOnBothKinds(
  'who has got the number of a process that connected and ended does not give its identity away',
  async (kind) => {
    await using world = await startWorld(kind)
    for (const as of [0, NOBODY]) {
      const answer = await world.attack({ kind: 'dies', as, program: world.victim })
      console.log(kind, 'dies', as, answer)
      expect(answer).toBe('cut')
    }
  },
)

asRootOnBothKinds(
  'nor does it when the number has changed hands before the agent took the connection',
  async (kind) => {
    await using world = await startWorld(kind)
    for (const as of [0, NOBODY]) {
      const more = { whileAgentSleeps: world.agent.process().pid }
      const answer = await world.attack({ kind: 'dies', as, program: world.victim }, more)
      console.log(kind, 'dies waiting', as, answer)
    }
  },
)

asRootOnBothKinds(
  'a process that becomes a set-user-ID program after it connected gets no identity',
  async (kind) => {
    await using world = await startWorld(kind)
    console.log(kind, await world.attack({ kind: 'execs', program: world.setUid }))
    console.log(kind, await world.attack({ kind: 'execs', program: world.victim }))
  },
)
