/**
 * A real SPIRE server below ours, in the same trust domain: its CA is signed by ours, its JWT keys are published through
 * ours, and what it issues verifies at workloads of either. It follows when our CA is replaced by force.
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

async function story(agentKind: Kind): Promise<void> {
  await using root = await startServer('steeple')
  await using above = await startAgent(agentKind, root)
  await register(root, above, 'spiffe://example.org/nested', '-downstream')
  await until('the nested server to have an identity', () => served(above))

  await using nested = await startServer('spire', { plugins: nestedBelow(root, above) })
  await using below = await startAgent(agentKind, nested)
  await register(nested, below, 'spiffe://example.org/far/down')
  await until('the workload far down to be served', () => goFetches(below))

  const chain = await served(below)
  expect(chain).toHaveLength(2)
  const isTaken = async (svid: readonly Uint8Array[]) =>
    verifyX509Svid({ chain: svid, bundle: await bundleOf(root), now: systemClock.now() })
  expect(await isTaken(chain)).toMatchObject({ id: 'spiffe://example.org/far/down' })
  // The root's own key, and the one that the nested server has published.
  expect((await bundleOf(root)).jwtAuthorities).toHaveLength(2)

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
  const isReplaced = async () =>
    !(await served(below))[1]?.every((byte, at) => byte === chain[1]?.[at])
  await until('the workload far down to have another chain', isReplaced, ROTATION_MS)
  await byId('revoke', active)
  expect((await bundleOf(root)).x509Authorities).toHaveLength(1)
  expect(await isTaken(await served(below))).toMatchObject({ id: 'spiffe://example.org/far/down' })
  await expect(isTaken(chain)).rejects.toMatchObject({ code: 'CERTIFICATE_UNTRUSTED' })
}

describe.concurrent('a real SPIRE server below ours', () => {
  const needed: readonly Peer[] = ['go-client', 'spire-server', 'spire-agent']
  const kinds: readonly Kind[] = ['steeple', 'spire']
  for (const kind of kinds) {
    interop(`with ${kind} agents`, needed, () => story(kind))
  }
})
