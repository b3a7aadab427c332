/**
 * A banned agent ends, and neither a restart nor a new proof of its node brings it back; nothing registered meanwhile
 * reaches it. Once it is evicted the ban is over: it attests again.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { start, until } from '../../processes/process.ts'
import { peer } from '../interop.ts'
import {
  type Cell,
  endpointOf,
  isServed,
  listed,
  openAgent,
  openServer,
  register,
  succeed,
  told,
} from './cell.ts'
import { foundCompany } from './machines.ts'

export async function tell(cell: Cell): Promise<void> {
  using company = await foundCompany()
  await using server = await openServer(cell, { nodeAttestor: company.block })
  const machine = await company.machine('prod')
  await using agent = await openAgent(cell, server, { nodeAttestor: machine })
  await register(server, agent.id, 'spiffe://example.org/before')
  await until('the workload to be served', () => isServed(agent, 'spiffe://example.org/before'))
  await using watcher = start(peer('go-client'), ['watch'], { env: endpointOf(agent) })
  await watcher.line(/"id":"spiffe:\/\/example.org\/before"/)

  await succeed(server, 'agent', 'ban', '-spiffeID', agent.id)
  await register(server, agent.id, 'spiffe://example.org/after')
  expect(await agent.process().ended).toBe(1)
  expect(watcher.output()).not.toContain('spiffe://example.org/after')
  expect(await listed(server, agent.id)).toMatchObject({ banned: true })
  const { agents } = await told(server, 'agent', 'list', '-banned', 'true')
  expect(agents).toHaveLength(1)

  await agent.relaunch()
  await agent.process().line(/banned/i)
  rmSync(join(agent.dir, 'data'), { recursive: true })
  await agent.relaunch()
  await agent.process().line(/failed to attest: agent is banned/)

  await succeed(server, 'agent', 'evict', '-spiffeID', agent.id)
  await agent.restart()
  expect(await listed(server, agent.id)).toMatchObject({ banned: false, can_reattest: true })
  await until('both workloads to be served', () =>
    isServed(agent, 'spiffe://example.org/before', 'spiffe://example.org/after'),
  )
}
