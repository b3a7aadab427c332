/**
 * Two trust domains that know each other's bundle: given with the real command line, handed out by agents of either
 * kind to those workloads whose entries federate, followed when it changes, and gone when it is deleted.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { authorityIdOf } from '../../spiffe/x509/key-id.ts'
import { fromPem } from '../../spiffe/x509/pem.ts'
import {
  type Agent,
  type Kind,
  type Server,
  startAgent,
  startServer,
} from '../processes/cluster.ts'
import { until } from '../processes/process.ts'
import { interop, type Peer } from './interop.ts'

async function succeed(server: Server, ...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await server.cli('spire', ...words)
  if (code !== 0) throw new Error(`${words.join(' ')}: ${stdout}${stderr}`)
  return stdout
}

/** Tells `server` what the bundle of `other` is now. */
async function exchange(server: Server, other: Server): Promise<readonly string[]> {
  const document = await succeed(other, 'bundle', 'show', '-format', 'spiffe')
  const path = join(server.dir, 'other.json')
  writeFileSync(path, document)
  const id = `spiffe://${other.trustDomain}`
  expect(
    await succeed(server, 'bundle', 'set', '-format', 'spiffe', '-id', id, '-path', path),
  ).toContain('bundle set.')
  return keyIds(await succeed(other, 'bundle', 'show'))
}

const keyIds = (pem: string) => fromPem('CERTIFICATE', pem).map(authorityIdOf).sort()

/** Authorities of the other trust domain that the workload is given now; undefined when it is given none at all. */
async function served(agent: Agent): Promise<readonly string[] | undefined> {
  const path = join(agent.dir, 'federated_bundle.0.0.pem')
  rmSync(path, { force: true })
  const { code } = await agent.cli('spire', 'api', 'fetch', 'x509', '-write', agent.dir)
  if (code !== 0) throw new Error('nothing is served')
  return existsSync(path) ? keyIds(readFileSync(path, 'utf8')) : undefined
}

const equal = (a: readonly string[] | undefined, b: readonly string[]) => a?.join() === b.join()

async function story(serverKind: Kind, agentKind: Kind): Promise<void> {
  await using server = await startServer(serverKind)
  await using other = await startServer('spire', { trustDomain: 'other.org' })
  const known = await exchange(server, other)
  expect(await succeed(server, 'bundle', 'list')).toContain('other.org')
  expect(await succeed(server, 'bundle', 'count')).toContain('2 bundles')

  await using agent = await startAgent(agentKind, server)
  const entry = ['-parentID', agent.id, '-selector', `unix:uid:${process.getuid?.()}`]
  const federation = ['-spiffeID', 'spiffe://example.org/w', '-federatesWith', 'other.org']
  await succeed(server, 'entry', 'create', ...entry, ...federation)
  await until('the other bundle to be served', async () => equal(await served(agent), known))

  // The other trust domain gets another authority, and the workload hears of it.
  await succeed(other, 'localauthority', 'x509', 'prepare')
  const more = await exchange(server, other)
  expect(more).toHaveLength(2)
  await until('the changed bundle to be served', async () => equal(await served(agent), more))

  const refused = await server.cli('spire', 'bundle', 'delete', '-id', 'spiffe://other.org')
  expect(refused.stdout + refused.stderr).toContain('federated with 1 registration entries')
  const mode = ['-id', 'spiffe://other.org', '-mode', 'dissociate']
  await succeed(server, 'bundle', 'delete', ...mode)
  await until('the other bundle to go', async () => (await served(agent)) === undefined)
  expect(await succeed(server, 'bundle', 'count')).toContain('1 bundle')
}

describe.concurrent('set, federate, change, delete', () => {
  const kinds: readonly Kind[] = ['steeple', 'spire']
  const needed: readonly Peer[] = ['spire-server', 'spire-agent']
  for (const server of kinds) {
    for (const agent of kinds) {
      interop(`${server} server with ${agent} agent`, needed, () => story(server, agent))
    }
  }
})
