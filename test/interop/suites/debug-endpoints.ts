/**
 * What server and agent tell of themselves at their own sockets: certificates, counts, uptime, the last sync. Over the
 * port, and at the socket of the workloads, nobody is told, not even an administrator.
 */
import { expect } from 'vitest'
import { systemClock } from '../../../spiffe/clock.ts'
import { generateToken } from '../../processes/cluster.ts'
import { until } from '../../processes/process.ts'
import { type Cell, fail, openAgent, openServer, register, served, told } from './cell.ts'
import { attestByHand, byToken } from './node-by-hand.ts'
import { call, connect, identityOf, verdict } from './rpc.ts'

const trustDomain = 'example.org'

export async function tell(cell: Cell): Promise<void> {
  await using server = await openServer(cell)
  await using agent = await openAgent(cell, server, { hasAdminSocket: true })
  const started = systemClock.now().getTime() / 1_000

  expect(await told(server, 'debug', 'getinfo')).toMatchObject({
    svid_chain: [
      { id: { trust_domain: trustDomain, path: '/spire/server' } },
      { id: { trust_domain: trustDomain, path: '' } },
    ],
    agents_count: 1,
    entries_count: 0,
  })
  const admin = 'spiffe://example.org/admin'
  await register(server, agent.id, admin, '-admin')
  const svid = await until('the workload to be served', async () => (await served(agent))[0])
  // What the server tells is some seconds old at most.
  await until('the server to count the entry', async () => {
    const { entries_count: count, uptime } = await told(server, 'debug', 'getinfo')
    expect(uptime).toBeGreaterThanOrEqual(0)
    return count === 1
  })

  const info = await until('the agent to count the SVID', async () => {
    const { code, stdout, stderr } = await agent.adminCli(
      'spire',
      ...['debug', 'getinfo', '-output', 'json'],
    )
    if (code !== 0) throw new Error(stdout + stderr)
    const seen = JSON.parse(stdout)
    return seen.cached_x509_svids_count === 1 && seen
  })
  expect(info).toMatchObject({
    svid_chain: [
      { id: { trust_domain: trustDomain, path: agent.id.slice('spiffe://example.org'.length) } },
      { id: { trust_domain: trustDomain, path: '' } },
    ],
    cached_jwt_svids_count: 0,
    cached_svidstore_x509_svids_count: 0,
  })
  expect(Number(info.last_sync_success)).toBeGreaterThan(started - 60)
  expect((await agent.adminCli('spire', 'debug', 'getinfo')).code).toBe(0)

  const node = await attestByHand(server, byToken(await generateToken(server)))
  for (const identity of [undefined, node.identity, identityOf(svid)]) {
    using clients = await connect(server, identity)
    const debug = call((done) => clients.debug.GetInfo({}, done))
    expect(await verdict(debug)).toMatch(/^UNIMPLEMENTED/)
    const logger = call((done) => clients.logger.GetLogger({}, done))
    expect(await verdict(logger)).toMatch(/^UNIMPLEMENTED/)
  }
  await fail(agent, /unknown service|Unimplemented/, 'debug', 'getinfo')
}
