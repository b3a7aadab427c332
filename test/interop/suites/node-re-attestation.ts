/**
 * An evicted agent that can prove again what its node is does so in place, and its workloads notice nothing; without its
 * data directory it starts anew as well. One that attested by join token ends, and does not come back.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Server } from '../../processes/cluster.ts'
import { start, until } from '../../processes/process.ts'
import { peer } from '../interop.ts'
import {
  type Cell,
  endpointOf,
  isServed,
  listed,
  openAgent,
  openServer,
  POLL_MS,
  register,
  succeed,
} from './cell.ts'
import { foundCompany } from './machines.ts'

const evict = (server: Server, id: string) => succeed(server, 'agent', 'evict', '-spiffeID', id)

export async function tell(cell: Cell): Promise<void> {
  await inPlace(cell)
  await notByToken(cell)
}

async function inPlace(cell: Cell): Promise<void> {
  using company = await foundCompany()
  await using server = await openServer(cell, { nodeAttestor: company.block })
  const machine = await company.machine('prod')
  await using agent = await openAgent(cell, server, { nodeAttestor: machine })
  const { pid } = agent.process()
  await register(server, agent.id, 'spiffe://example.org/before')
  await until('the workload to be served', () => isServed(agent, 'spiffe://example.org/before'))
  await using watcher = start(peer('go-client'), ['watch'], { env: endpointOf(agent) })
  await watcher.line(/"id":"spiffe:\/\/example.org\/before"/)

  const serialOf = async () => (await listed(server, agent.id))?.x509svid_serial_number
  const serial = await serialOf()
  await evict(server, agent.id)
  const isBack = async () => ![undefined, serial].includes(await serialOf())
  await until('the agent to be back with another SVID', isBack, POLL_MS)
  expect(agent.process().pid).toBe(pid)
  await register(server, agent.id, 'spiffe://example.org/after')
  await watcher.line(/"id":"spiffe:\/\/example.org\/after"/)
  expect(watcher.output()).not.toContain('"error"')

  await agent.relaunch()
  await agent.process()[Symbol.asyncDispose]()
  rmSync(join(agent.dir, 'data'), { recursive: true })
  const known = await serialOf()
  await agent.restart()
  expect(await serialOf()).not.toBe(known)
  await until('both workloads to be served', () =>
    isServed(agent, 'spiffe://example.org/before', 'spiffe://example.org/after'),
  )
}

async function notByToken(cell: Cell): Promise<void> {
  await using server = await openServer(cell)
  await using agent = await openAgent(cell, server)
  await evict(server, agent.id)
  expect(await agent.process().ended).toBe(1)
  await agent.relaunch()
  await agent.process().line(/join token/i)
  await agent.process().ended
  expect(await listed(server, agent.id)).toBeUndefined()
}
