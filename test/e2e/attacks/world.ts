/** A server, and an agent that tells users and programs, of either kind; and programs to be taken for. */

import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
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

export const NOBODY = 65_534
/** Last steps of the SPIFFE IDs that there are. */
export const NAMES = ['root', 'nobody', 'victim', 'hashed']

export async function register(
  server: Server,
  agent: Agent,
  name: string,
  selectors: readonly string[],
) {
  const spiffeId = `spiffe://${server.trustDomain}/${name}`
  const words = selectors.flatMap((selector) => ['-selector', selector])
  const named = ['-parentID', agent.id, '-spiffeID', spiffeId]
  const created = await server.cli(server.kind, 'entry', 'create', ...named, ...words)
  expect(created.code, created.stderr).toBe(0)
}

export interface World extends AsyncDisposable {
  readonly server: Server
  readonly agent: Agent
  /** Where every user may go. */
  readonly dir: string
  /** `/victim` by its path, `/hashed` by its content too. */
  readonly victim: string
  /** Runs as root, whoever starts it. */
  readonly setUid: string
  /** Connects as nobody, changes, and asks. */
  attack(then: Change['then'], more?: Partial<Change>): ReturnType<typeof askAfterChange>
}

/** Ready when nobody gets the identity of nobody. Needs root. */
export async function startWorld(kind: Kind): Promise<World> {
  await using stack = new AsyncDisposableStack()
  const dir = mkdtempSync(join(realpathSync(tmpdir()), 'steeple-attack-'))
  stack.defer(() => rmSync(dir, { recursive: true }))
  chmodSync(dir, 0o755)
  const victim = join(dir, 'victim')
  const setUid = join(dir, 'set-uid')
  copyFileSync('/bin/sleep', victim)
  copyFileSync('/bin/sleep', setUid)
  chmodSync(setUid, 0o4755)
  const server = stack.use(await startServer(kind))
  const options = { workloadAttestor: 'discover_workload_path = true' }
  const agent = stack.use(await startAgent(kind, server, options))
  chmodSync(agent.dir, 0o755)
  const hash = createHash('sha256').update(readFileSync(victim)).digest('hex')
  await register(server, agent, 'root', ['unix:uid:0'])
  await register(server, agent, 'nobody', [`unix:uid:${NOBODY}`])
  await register(server, agent, 'victim', [`unix:path:${victim}`])
  await register(server, agent, 'hashed', [`unix:path:${victim}`, `unix:sha256:${hash}`])
  const attack = (then: Change['then'], more: Partial<Change> = {}) => {
    rmSync(join(dir, `${then.kind}.relay`), { force: true })
    return askAfterChange({ api: agent.socket, dir, uid: NOBODY, then, names: NAMES, ...more })
  }
  await until('the identities of the victim', async () => {
    const got = await attack({ kind: 'execs', program: { path: victim } })
    return got.length === 3 && got.includes('hashed')
  })
  const kept = stack.move()
  return {
    ...{ server, agent, dir, victim, setUid, attack },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}
