/** A server that lost its authorities, and the agents that have rebootstrap_mode: ours and SPIRE's, under either server. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { fingerprintOf } from '../../server/attest/x509pop-selectors.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { toPem } from '../../spiffe/x509/pem.ts'
import { testCa } from '../fakes/ca.ts'
import {
  type Agent,
  type Kind,
  type Server,
  startAgent,
  startServer,
} from '../processes/cluster.ts'
import { until } from '../processes/process.ts'
import { interop, type Peer } from './interop.ts'

const HOUR_MS = 3_600_000
const now = systemClock.now().getTime()
const VALIDITY = { notBefore: new Date(now - HOUR_MS), notAfter: new Date(now + HOUR_MS) }
const WORKLOAD = 'spiffe://example.org/workload'

const dir = mkdtempSync(join(tmpdir(), 'rebootstrap-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** A machine that can attest again, and what vouches for it. */
async function machine() {
  const ca = await testCa({ ...VALIDITY, uriSans: [] })
  const node = await ca.leaf('', { ...VALIDITY, uriSans: [], extKeyUsage: undefined })
  writeFileSync(join(dir, 'ca.pem'), toPem('CERTIFICATE', ca.certificate))
  writeFileSync(join(dir, 'node.pem'), toPem('CERTIFICATE', node.certificate))
  writeFileSync(join(dir, 'node.key'), node.key.export({ type: 'pkcs8', format: 'pem' }))
  return {
    server: `NodeAttestor "x509pop" { plugin_data { ca_bundle_path = "${dir}/ca.pem" } }`,
    block: `NodeAttestor "x509pop" { plugin_data {
      certificate_path = "${dir}/node.pem" private_key_path = "${dir}/node.key"
    } }`,
    id: `spiffe://example.org/spire/agent/x509pop/${fingerprintOf({ der: node.certificate })}`,
  }
}

async function register(server: Server, parentId: string): Promise<void> {
  const created = await server.cli(
    ...(['spire', 'entry', 'create', '-parentID', parentId, '-spiffeID', WORKLOAD] as const),
    ...['-selector', `unix:uid:${process.getuid?.()}`],
  )
  expect(created.stderr).toBe('')
}

/** Everything that the server knew is gone, its authorities too; the bundle file has the new ones. */
async function wipe(server: Server): Promise<void> {
  await server.process()[Symbol.asyncDispose]()
  for (const file of ['keys.json', 'datastore.sqlite3']) {
    for (const suffix of ['', '-wal', '-shm'])
      rmSync(join(server.dir, file + suffix), { force: true })
  }
  await server.restart()
  await server.bundleFile()
}

async function fetchedRoots(agent: Agent): Promise<string> {
  const out = mkdtempSync(join(dir, 'fetched-'))
  const { code, stderr } = await agent.cli('spire', 'api', 'fetch', 'x509', '-write', out)
  if (code !== 0) throw new Error(stderr)
  return readFileSync(join(out, 'bundle.0.pem'), 'utf8')
}

const settings = (mode: string) => `rebootstrap_mode = "${mode}"\n  rebootstrap_delay = "2s"`
const NEEDS: readonly Peer[] = ['spire-server', 'spire-agent']

for (const [serverKind, agentKind] of [
  ['spire', 'steeple'],
  ['steeple', 'steeple'],
  ['steeple', 'spire'],
] as const satisfies readonly (readonly [Kind, Kind])[]) {
  interop(
    `a ${agentKind} agent trusts a ${serverKind} server anew that lost its authorities, by its bundle file`,
    NEEDS,
    async () => {
      const node = await machine()
      await using server = await startServer(serverKind, { nodeAttestor: node.server })
      await using agent = await startAgent(agentKind, server, {
        nodeAttestor: node,
        settings: settings('auto'),
      })
      await register(server, node.id)
      const before = await until('an SVID', () => fetchedRoots(agent))
      await wipe(server)
      await register(server, node.id)
      // SPIRE's agent ends and leaves it to others to start it again; ours begins anew by itself.
      if (agentKind === 'spire') {
        expect(await agent.process().ended).not.toBe(0)
        await agent.restart()
      }
      const after = await until('an SVID of the new authority', async () => {
        const roots = await fetchedRoots(agent)
        return roots === before ? undefined : roots
      })
      expect(after).toBe(readFileSync(join(server.dir, 'bundle.pem'), 'utf8'))
    },
  )
}

interop(
  'without rebootstrap_mode our agent goes on serving what it has, and trusts no other server',
  NEEDS,
  async () => {
    const node = await machine()
    await using server = await startServer('spire', { nodeAttestor: node.server })
    await using agent = await startAgent('steeple', server, { nodeAttestor: node })
    await register(server, node.id)
    const before = await until('an SVID', () => fetchedRoots(agent))
    await wipe(server)
    await agent.process().line(/signed by unknown authority/)
    expect(await fetchedRoots(agent)).toBe(before)
  },
)

// SPIRE's agent looks only at its next start, when the agent SVID has been stored.
interop('an agent that cannot attest again refuses rebootstrap_mode "always"', NEEDS, async () => {
  await using server = await startServer('spire')
  await expect(startAgent('steeple', server, { settings: settings('always') })).rejects.toThrow(
    /cannot attest again by itself/,
  )
  await using upstream = await startAgent('spire', server, { settings: settings('always') })
  await upstream.relaunch()
  expect(await upstream.process().ended).not.toBe(0)
  expect(upstream.process().output()).toContain('requested rebootstrap support')
})

interop(
  'an agent that cannot attest again does without rebootstrap_mode "auto"',
  NEEDS,
  async () => {
    await using server = await startServer('spire')
    await using agent = await startAgent('steeple', server, { settings: settings('auto') })
    expect(agent.process().output()).toContain('Rebootstrapping is turned off')
    await using upstream = await startAgent('spire', server, { settings: settings('auto') })
    await upstream.restart()
    expect(upstream.process().output()).toContain('requested rebootstrap support')
  },
)
