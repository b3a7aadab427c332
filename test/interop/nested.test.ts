/**
 * Servers below others in the same trust domain, ours and SPIRE's in any combination: a CA is signed by the server
 * above, JWT keys are published through it, and what is issued far down verifies everywhere. All follow when the CA at
 * the root is replaced by force. Three levels of ours do the same.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { parseBundleDocument } from '../../spiffe/bundle/jwks.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { parseTrustDomain } from '../../spiffe/id.ts'
import { fromPem } from '../../spiffe/x509/pem.ts'
import { verifyX509Svid } from '../../spiffe/x509/verify.ts'
import {
  type Agent,
  type Kind,
  type Server,
  startAgent,
  startServer,
} from '../processes/cluster.ts'
import { run, until } from '../processes/process.ts'
import { interop, type Peer, peer } from './interop.ts'

const example = parseTrustDomain('example.org')
const ROTATION_MS = 90_000

async function succeed(server: Server, ...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await server.cli('spire', ...words)
  if (code !== 0) throw new Error(`${words.join(' ')}: ${stdout}${stderr}`)
  return stdout
}

const register = (server: Server, agent: Agent, id: string, ...more: readonly string[]) =>
  succeed(
    server,
    ...['entry', 'create', '-parentID', agent.id, '-spiffeID', id],
    ...['-selector', `unix:uid:${process.getuid?.()}`, ...more],
  )

const bundleOf = async (server: Server) =>
  parseBundleDocument(await succeed(server, 'bundle', 'show', '-format', 'spiffe'), example)

/** The chain that the workload is served now. */
async function served(agent: Agent): Promise<readonly Uint8Array[]> {
  const { code, stderr } = await agent.cli('spire', 'api', 'fetch', 'x509', '-write', agent.dir)
  if (code !== 0) throw new Error(stderr)
  return fromPem('CERTIFICATE', readFileSync(join(agent.dir, 'svid.0.pem'), 'utf8'))
}

/** go-spiffe fetches X.509- and JWT-SVIDs and verifies both against the bundle it is given. */
async function goFetches(agent: Agent): Promise<boolean> {
  const env = { SPIFFE_ENDPOINT_SOCKET: `unix://${agent.socket}` }
  return (await run(peer('go-client'), ['fetch', 'a'], { env })).code === 0
}

const nestedBelow = (root: Server, agent: Agent) => `UpstreamAuthority "spire" {
    plugin_data {
      server_address = "127.0.0.1"
      server_port = "${root.port}"
      workload_api_socket = "${agent.socket}"
    }
  }`

interface Tower {
  /** From the root down. */
  readonly servers: readonly Kind[]
  readonly agents: Kind
}

async function story({ servers, agents }: Tower): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const built: [Server, ...Server[]] = [stack.use(await startServer(servers[0] ?? 'steeple'))]
  const [root] = built
  let bottom = root
  for (const [level, kind] of servers.slice(1).entries()) {
    const above = stack.use(await startAgent(agents, bottom))
    await register(bottom, above, `spiffe://example.org/nested-${level}`, '-downstream')
    await until('the nested server to have an identity', () => served(above))
    bottom = stack.use(await startServer(kind, { plugins: nestedBelow(bottom, above) }))
    built.push(bottom)
  }
  const nested = bottom
  const below = stack.use(await startAgent(agents, nested))
  await register(nested, below, 'spiffe://example.org/far/down')
  await until('the workload far down to be served', () => goFetches(below))

  const chain = await served(below)
  expect(chain).toHaveLength(servers.length)
  const isTaken = async (svid: readonly Uint8Array[]) =>
    verifyX509Svid({ chain: svid, bundle: await bundleOf(root), now: systemClock.now() })
  expect(await isTaken(chain)).toMatchObject({ id: 'spiffe://example.org/far/down' })
  // Everybody's own key, also of those far down.
  for (const server of built) {
    const knowsAll = async () => (await bundleOf(server)).jwtAuthorities.length === built.length
    await until('every server to know every JWT key', knowsAll)
  }

  const { active } = JSON.parse(
    await succeed(root, 'localauthority', 'x509', 'show', '-output', 'json'),
  )
  const prepared = JSON.parse(
    await succeed(root, 'localauthority', 'x509', 'prepare', '-output', 'json'),
  ).prepared_authority
  const byId = (verb: string, { authority_id }: { authority_id: string }) =>
    succeed(root, 'localauthority', 'x509', verb, '-authorityID', authority_id)
  const isKnownBelow = async () => (await bundleOf(nested)).x509Authorities.length === 2
  await until('the nested server to know the next CA', isKnownBelow, ROTATION_MS)
  await byId('activate', prepared)
  await byId('taint', active)
  const top = (svid: readonly Uint8Array[]) => svid.at(-1) ?? new Uint8Array()
  const isReplaced = async () => Buffer.compare(top(await served(below)), top(chain)) !== 0
  await until('the workload far down to have another chain', isReplaced, ROTATION_MS)
  await byId('revoke', active)
  expect((await bundleOf(root)).x509Authorities).toHaveLength(1)
  expect(await isTaken(await served(below))).toMatchObject({ id: 'spiffe://example.org/far/down' })
  await expect(isTaken(chain)).rejects.toMatchObject({ code: 'CERTIFICATE_UNTRUSTED' })
}

describe.concurrent('nested servers', () => {
  const needed: readonly Peer[] = ['go-client', 'spire-server', 'spire-agent']
  const towers: readonly Tower[] = [
    { servers: ['steeple', 'spire'], agents: 'steeple' },
    { servers: ['steeple', 'spire'], agents: 'spire' },
    { servers: ['spire', 'steeple'], agents: 'spire' },
    { servers: ['spire', 'steeple'], agents: 'steeple' },
    { servers: ['steeple', 'steeple', 'steeple'], agents: 'steeple' },
  ]
  for (const tower of towers) {
    const title = `${tower.servers.join(' above ')}, with ${tower.agents} agents`
    interop(title, needed, () => story(tower))
  }
})
