/**
 * A join token attests one agent once; a second use and a late one are refused. A token made for a SPIFFE ID gives its
 * agent that name as well, for as long as the agent is there. A restart needs no token.
 */
import { expect } from 'vitest'
import { systemClock } from '../../../spiffe/clock.ts'
import { generateToken } from '../../processes/cluster.ts'
import { until } from '../../processes/process.ts'
import {
  type Cell,
  isServed,
  launch,
  listed,
  openAgent,
  openServer,
  register,
  succeed,
  told,
} from './cell.ts'

const HALL = 'spiffe://example.org/hall'
const SHORT_MS = 2_000

export async function tell(cell: Cell): Promise<void> {
  await using server = await openServer(cell)
  const brief = await generateToken(server, '-ttl', '1')
  const end = systemClock.now().getTime() + SHORT_MS

  const token = await generateToken(server)
  await using agent = await openAgent(cell, server, { joinToken: token })
  expect(await listed(server, agent.id)).toMatchObject({
    attestation_type: 'join_token',
    banned: false,
    can_reattest: false,
    selectors: [],
  })
  for (const joinToken of [token, 'made-up']) {
    await using refused = await launch(cell, server, { joinToken })
    await refused.process().line(/join token does not exist or has already been used/)
  }
  await register(server, agent.id, 'spiffe://example.org/by-agent')
  await until('the workload to be served', () => isServed(agent, 'spiffe://example.org/by-agent'))
  await agent.restart()
  await until('it to be served again', () => isServed(agent, 'spiffe://example.org/by-agent'))

  const named = await generateToken(server, '-spiffeID', HALL)
  await using inHall = await openAgent(cell, server, { joinToken: named })
  const { entries } = await told(server, 'entry', 'show', '-parentID', inHall.id)
  expect(entries).toMatchObject([
    {
      spiffe_id: { trust_domain: 'example.org', path: '/hall' },
      selectors: [{ type: 'spiffe_id', value: inHall.id }],
    },
  ])
  await register(server, HALL, 'spiffe://example.org/by-hall')
  await until('the workload of the hall', () => isServed(inHall, 'spiffe://example.org/by-hall'))
  expect(await isServed(agent, 'spiffe://example.org/by-agent')).toBe(true)

  await succeed(server, 'agent', 'evict', '-spiffeID', inHall.id)
  expect(await told(server, 'entry', 'show', '-parentID', inHall.id)).toMatchObject({ entries: [] })

  await until('the short token to expire', async () => systemClock.now().getTime() > end)
  await using late = await launch(cell, server, { joinToken: brief })
  await late.process().line(/join token expired/)
}
