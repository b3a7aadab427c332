/**
 * Tokens are cached, as many as the agent is told to keep: a cached one is given again, one that had to go is signed
 * anew. Foreign libraries validate them. A server that issues no tokens says so, and goes on issuing certificates.
 */
import { expect } from 'vitest'
import { run, until } from '../../processes/process.ts'
import { peer } from '../interop.ts'
import {
  type Cell,
  endpointOf,
  fail,
  goFetch,
  goFetches,
  isServed,
  openAgent,
  openServer,
  register,
  servedToken,
  succeed,
} from './cell.ts'

const python = `${import.meta.dirname}/../clients/python/client.py`
const CACHE_SIZE = 3
const WORKLOAD = 'spiffe://example.org/workload'

export async function tell(cell: Cell): Promise<void> {
  await cacheAndValidate(cell)
  await issueNone(cell)
}

async function cacheAndValidate(cell: Cell): Promise<void> {
  await using server = await openServer(cell)
  await using agent = await openAgent(cell, server, {
    settings: `jwt_svid_cache_max_size = ${CACHE_SIZE}`,
  })
  await fail(agent, 'no identity issued', 'api', 'fetch', 'jwt', '-audience', 'a')
  await register(server, agent.id, WORKLOAD)
  await until('go-spiffe to be served', () => goFetches(agent))
  const fromPython = await run(peer('py-spiffe'), [python, 'fetch', 'audience'], {
    env: endpointOf(agent),
  })
  expect(fromPython.stderr).toBe('')
  expect(JSON.parse(fromPython.stdout)).toMatchObject({ tokens: [WORKLOAD] })

  const token = await servedToken(agent, 'audience-0')
  expect(await servedToken(agent, 'audience-0')).toBe(token)
  const others: string[] = []
  for (let at = 1; at <= CACHE_SIZE; at++) others.push(await servedToken(agent, `audience-${at}`))
  expect(new Set([token, ...others]).size).toBe(CACHE_SIZE + 1)
  expect(await servedToken(agent, `audience-${CACHE_SIZE}`)).toBe(others.at(-1))
  // ECDSA signatures differ each time, so an equal token is the very same.
  expect(await servedToken(agent, 'audience-0')).not.toBe(token)

  const validate = ['api', 'validate', 'jwt', '-svid', token, '-audience']
  expect(await succeed(agent, ...validate, 'audience-0')).toContain('SVID is valid.')
  await fail(agent, /SVID is not valid: .*audience/, ...validate, 'audience-1')
  const broken = ['-audience', 'audience-0', '-svid', `${token}x`]
  await fail(agent, 'SVID is not valid', 'api', 'validate', 'jwt', ...broken)
  await fail(agent, 'audience', 'api', 'fetch', 'jwt')
  const ofNobody = ['-audience', 'a', '-spiffeID', 'spiffe://example.org/nobody']
  await fail(agent, 'no identity issued', 'api', 'fetch', 'jwt', ...ofNobody)
}

async function issueNone(cell: Cell): Promise<void> {
  await using server = await openServer(cell, { settings: 'disable_jwt_svids = true' })
  await using agent = await openAgent(cell, server)
  await register(server, agent.id, WORKLOAD)
  await until('the workload to be served', () => isServed(agent, WORKLOAD))
  const disabled = 'JWT functionality is disabled'
  await fail(agent, disabled, 'api', 'fetch', 'jwt', '-audience', 'a')
  await fail(server, disabled, 'jwt', 'mint', '-spiffeID', WORKLOAD, '-audience', 'a')
  expect((await goFetch(agent)).stderr).toContain('JWT')
  expect(await succeed(server, 'bundle', 'show', '-format', 'spiffe')).not.toContain('jwt-svid')
}
