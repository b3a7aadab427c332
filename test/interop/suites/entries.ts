/**
 * Entries reach the agents that they concern, and leave them: below one agent, and below a name that several nodes share
 * by their selectors. Streams that are open see each come, change and go, also across a restart of the server.
 */
import { expect } from 'vitest'
import { start, until } from '../../processes/process.ts'
import { peer } from '../interop.ts'
import {
  type Cell,
  deleteEntry,
  endpointOf,
  fail,
  goFetch,
  goFetches,
  isServed,
  openAgent,
  openServer,
  ours,
  register,
  served,
  succeed,
  told,
} from './cell.ts'
import { foundCompany } from './machines.ts'

const PROD = 'spiffe://example.org/nodes/prod'
const id = (name: string) => `spiffe://example.org/${name}`
const env = (value: string) => ['-selector', `x509pop:san:env:${value}`]

export async function tell(cell: Cell): Promise<void> {
  using company = await foundCompany()
  await using server = await openServer(cell, { nodeAttestor: company.block })
  const nodeAttestors = [await company.machine('prod'), await company.machine('test')] as const
  await using one = await openAgent(cell, server, { nodeAttestor: nodeAttestors[0] })
  await using two = await openAgent(cell, server, { nodeAttestor: nodeAttestors[1] })
  expect((await goFetch(one)).stderr).toContain('no identity issued')
  await fail(one, 'no identity issued', 'api', 'fetch', 'x509')

  const own = await register(server, one.id, id('own'), '-hint', 'one')
  await until('the entry of one agent', () => isServed(one, id('own')))
  await until('go-spiffe to be served', () => goFetches(one))
  expect((await served(one))[0]?.hint).toBe('one')
  await using watcher = start(peer('go-client'), ['watch'], { env: endpointOf(one) })
  await watcher.line(/"id":"spiffe:\/\/example.org\/own"/)
  await using spireWatcher = start(peer('spire-agent'), ['api', 'watch', '-socketPath', one.socket])
  await spireWatcher.line(/SPIFFE ID:\s+spiffe:\/\/example.org\/own/)

  const node = ['entry', 'create', '-node', '-spiffeID', PROD, ...env('prod')]
  const alias: string = (await told(server, ...node)).results[0].entry.id
  const shared = await register(server, PROD, id('shared'))
  await watcher.line(/"id":"spiffe:\/\/example.org\/shared"/)
  await spireWatcher.line(/SPIFFE ID:\s+spiffe:\/\/example.org\/shared/)
  expect(await isServed(two)).toBe(true)

  const byId = ['entry', 'update', '-entryID']
  const update = [...byId, alias, '-parentID', id('spire/server'), '-spiffeID', PROD]
  await succeed(server, ...update, ...env('test'))
  await until('the other agent to serve it', () => isServed(two, id('shared')))
  await until('the first to serve it no more', () => isServed(one, id('own')))

  const changed = ['-selector', ours, '-dns', 'one.example.org', '-x509SVIDTTL', '600']
  await succeed(server, ...byId, own, '-parentID', one.id, '-spiffeID', id('renamed'), ...changed)
  await watcher.line(/"id":"spiffe:\/\/example.org\/renamed"/)
  await until('the old name to be gone', () => isServed(one, id('renamed')))
  const [svid] = await served(one)
  expect(svid?.chain[0]?.dnsNames).toEqual(['one.example.org'])
  const life =
    (svid?.chain[0]?.notAfter.getTime() ?? 0) - (svid?.chain[0]?.notBefore.getTime() ?? 0)
  expect(life).toBe(610_000)

  await server.restart()
  const late = await register(server, one.id, id('late'))
  await watcher.line(/"id":"spiffe:\/\/example.org\/late"/)
  expect(watcher.output()).not.toContain('"error"')

  await deleteEntry(server, alias)
  await until('the alias to be gone', () => isServed(two))
  for (const entry of [own, late, shared]) await deleteEntry(server, entry)
  await until('everything to be gone', () => isServed(one))
  await fail(server, 'code: NotFound', 'entry', 'delete', '-entryID', own)
}
