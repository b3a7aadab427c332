/**
 * An operator replaces the CA of a running trust domain: prepare, activate, taint, revoke. Agents renew their own SVID
 * and the workloads' away from the tainted CA by themselves; open streams go on, and nothing restarts.
 */
import { expect } from 'vitest'
import type { Agent } from '../../processes/cluster.ts'
import { start, until } from '../../processes/process.ts'
import { peer } from '../interop.ts'
import { authorityIn, published, replaceActive, revoke } from './authorities.ts'
import {
  type Cell,
  endpointOf,
  goFetches,
  listed,
  openAgent,
  openServer,
  POLL_MS,
  register,
  served,
} from './cell.ts'

/** Key IDs of the authorities that signed what workloads are served now. */
const signers = async (agent: Agent) =>
  new Set((await served(agent)).map(({ chain }) => chain[0]?.authorityKeyId))

export async function tell(cell: Cell): Promise<void> {
  await using server = await openServer(cell)
  await using agent = await openAgent(cell, server)
  await register(server, agent.id, 'spiffe://example.org/first')
  await until('go-spiffe to be served', () => goFetches(agent))
  expect(await signers(agent)).toEqual(new Set([await authorityIn(server, 'x509', 'active')]))
  await using watcher = start(peer('go-client'), ['watch'], { env: endpointOf(agent) })
  await watcher.line(/"id":"spiffe:\/\/example.org\/first"/)

  const serial = (await listed(server, agent.id))?.x509svid_serial_number
  const { old, next } = await replaceActive(server, 'x509')
  expect((await published(server)).x509).toBe(2)
  const isRotated = async () => [...(await signers(agent))].join() === next
  await until('the workload to be served by the new CA', isRotated, POLL_MS)
  const isRenewed = async () => (await listed(server, agent.id))?.x509svid_serial_number !== serial
  await until('the agent to have an SVID of the new CA', isRenewed, POLL_MS)
  await revoke(server, 'x509', old)
  expect((await published(server)).x509).toBe(1)

  // What happens after the revocation still reaches the workload, and verifies there.
  await register(server, agent.id, 'spiffe://example.org/second')
  await watcher.line(/"id":"spiffe:\/\/example.org\/second"/)
  await until('go-spiffe to verify what it is served', () => goFetches(agent))
  expect(watcher.output()).not.toContain('"error"')
}
