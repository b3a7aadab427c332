/**
 * An operator replaces the JWT key of a running trust domain: prepare, activate, taint, revoke. Agents turn away from
 * the tainted key by themselves; once it is revoked its tokens are refused and those of the new key are taken.
 */
import { expect } from 'vitest'
import { until } from '../../processes/process.ts'
import { authorityIn, published, replaceActive, revoke } from './authorities.ts'
import {
  type Cell,
  fail,
  goFetches,
  keyIdOf,
  openAgent,
  openServer,
  POLL_MS,
  register,
  servedToken,
  succeed,
} from './cell.ts'

export async function tell(cell: Cell): Promise<void> {
  await using server = await openServer(cell)
  await using agent = await openAgent(cell, server)
  await register(server, agent.id, 'spiffe://example.org/workload')
  await until('go-spiffe to be served', () => goFetches(agent))
  const before = await servedToken(agent, 'a')
  expect(keyIdOf(before)).toBe(await authorityIn(server, 'jwt', 'active'))
  const validate = ['api', 'validate', 'jwt', '-audience', 'a', '-svid', before]
  expect(await succeed(agent, ...validate)).toContain('SVID is valid.')

  const { old, next } = await replaceActive(server, 'jwt')
  expect(keyIdOf(before)).toBe(old)
  expect((await published(server)).jwt.toSorted()).toEqual([old, next].toSorted())
  const isNew = async () => keyIdOf(await servedToken(agent, 'a')) === next
  await until('tokens to be signed by the new key', isNew, POLL_MS)

  await revoke(server, 'jwt', old)
  expect((await published(server)).jwt).toEqual([next])
  const isRefused = async () => (await agent.cli('spire', ...validate)).code === 1
  await until('tokens of the revoked key to be refused', isRefused, POLL_MS)
  await fail(agent, new RegExp(`SVID is not valid: .*${old}`), ...validate)
  await until('go-spiffe to verify tokens of the new key', () => goFetches(agent))
}
