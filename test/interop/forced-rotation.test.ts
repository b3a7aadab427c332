/**
 * An operator replaces the authorities of a running trust domain: prepare, activate, taint, revoke, first X.509, then
 * JWT. The agents, ours and SPIRE's, rotate away by themselves and go on serving; nothing restarts.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { parseCertificate } from '../../spiffe/x509/certificate.ts'
import { fromPem } from '../../spiffe/x509/pem.ts'
import {
  type Agent,
  type Kind,
  type Server,
  startAgent,
  startServer,
} from '../processes/cluster.ts'
import { run, start, until } from '../processes/process.ts'
import { interop, type Peer, peer } from './interop.ts'

type Part = 'x509' | 'jwt'
type State = Readonly<Record<'active' | 'prepared' | 'old', { authority_id: string } | undefined>>

/** `spire-server localauthority …`, with the real command line. @returns what it printed, as JSON */
async function operate(server: Server, part: Part, ...words: readonly string[]): Promise<unknown> {
  const { stdout, stderr, code } = await server.cli(
    'spire',
    'localauthority',
    part,
    ...words,
    '-output',
    'json',
  )
  if (code !== 0) throw new Error(`localauthority ${part} ${words.join(' ')}: ${stdout}${stderr}`)
  return JSON.parse(stdout)
}

// Cast: protojson of Get…AuthorityStateResponse.
const show = async (server: Server, part: Part) => (await operate(server, part, 'show')) as State

/** Lets another authority sign, and taints the one before. */
async function taintActive(server: Server, part: Part): Promise<{ old: string; next: string }> {
  const old = (await show(server, part)).active?.authority_id ?? expect.unreachable()
  await operate(server, part, 'prepare')
  const next = (await show(server, part)).prepared?.authority_id ?? expect.unreachable()
  // The active one is spared, whoever asks.
  await expect(operate(server, part, 'taint', '-authorityID', old)).rejects.toThrow(
    'unable to taint current local authority',
  )
  await operate(server, part, 'activate', '-authorityID', next)
  await expect(operate(server, part, 'revoke', '-authorityID', old)).rejects.toThrow(
    'it is not possible to revoke an untainted',
  )
  await operate(server, part, 'taint', '-authorityID', old)
  return { old, next }
}

const environment = (agent: Agent) => ({ SPIFFE_ENDPOINT_SOCKET: `unix://${agent.socket}` })

const register = async (server: Server, agent: Agent, id: string) => {
  const selector = `unix:uid:${process.getuid?.()}`
  const args = ['-parentID', agent.id, '-selector', selector, '-spiffeID', id]
  const created = await server.cli('spire', 'entry', 'create', ...args)
  expect(created.stderr).toBe('')
}

/** Key ID of the authority that signed what the workload is served now. */
async function servedX509(agent: Agent): Promise<string | undefined> {
  const { code } = await agent.cli('spire', 'api', 'fetch', 'x509', '-write', agent.dir)
  if (code !== 0) return undefined
  const [leaf] = fromPem('CERTIFICATE', readFileSync(join(agent.dir, 'svid.0.pem'), 'utf8'))
  return parseCertificate(leaf ?? expect.unreachable()).authorityKeyId
}

async function servedJwt(agent: Agent): Promise<string | undefined> {
  const args = ['-audience', 'a', '-output', 'json']
  const { stdout, code } = await agent.cli('spire', 'api', 'fetch', 'jwt', ...args)
  if (code !== 0) return undefined
  // Cast: the JSON of `api fetch jwt` is a pair of responses.
  const [{ svids }] = JSON.parse(stdout) as [{ svids: { svid: string }[] }]
  const [header = ''] = (svids[0]?.svid ?? '').split('.')
  return JSON.parse(Buffer.from(header, 'base64url').toString()).kid
}

async function agentSerial(server: Server, agent: Agent): Promise<string> {
  const args = ['-spiffeID', agent.id, '-output', 'json']
  const { stdout } = await server.cli('spire', 'agent', 'show', ...args)
  return JSON.parse(stdout).x509svid_serial_number
}

async function bundleKeys(server: Server): Promise<number> {
  const { stdout } = await server.cli('spire', 'bundle', 'show', '-format', 'spiffe')
  return JSON.parse(stdout).keys.length
}

const ROTATION_MS = 60_000

async function story(serverKind: Kind, agentKind: Kind): Promise<void> {
  await using server = await startServer(serverKind)
  await using agent = await startAgent(agentKind, server)
  await register(server, agent, 'spiffe://example.org/first')
  const goFetches = async () =>
    (await run(peer('go-client'), ['fetch', 'a'], { env: environment(agent) })).code === 0
  await until('go-spiffe to be served', goFetches)
  await using watcher = start(peer('go-client'), ['watch'], { env: environment(agent) })
  await watcher.line(/"id":"spiffe:\/\/example.org\/first"/)

  const serial = await agentSerial(server, agent)
  const x509 = await taintActive(server, 'x509')
  const isRotated = async () => (await servedX509(agent)) === x509.next
  await until('the workload to be served by the new CA', isRotated, ROTATION_MS)
  const isAgentRotated = async () => (await agentSerial(server, agent)) !== serial
  await until('the agent to have an SVID of the new CA', isAgentRotated, ROTATION_MS)
  await operate(server, 'x509', 'revoke', '-authorityID', x509.old)
  expect(await bundleKeys(server)).toBe(2)

  // What happens after the revocation still reaches the workload, and verifies there.
  await register(server, agent, 'spiffe://example.org/second')
  await watcher.line(/"id":"spiffe:\/\/example.org\/second"/)
  await until('go-spiffe to verify what it is served', goFetches)

  expect(await servedJwt(agent)).toBe((await show(server, 'jwt')).active?.authority_id)
  const jwt = await taintActive(server, 'jwt')
  const isTokenNew = async () => (await servedJwt(agent)) === jwt.next
  await until('tokens to be signed by the new key', isTokenNew, ROTATION_MS)
  await operate(server, 'jwt', 'revoke', '-authorityID', jwt.old)
  expect(await bundleKeys(server)).toBe(2)
  await until('go-spiffe to verify its tokens', goFetches)

  // The stream that was open all the while never failed.
  expect(watcher.output()).not.toContain('"error"')
}

describe.concurrent('prepare, activate, taint, revoke', () => {
  const kinds: readonly Kind[] = ['steeple', 'spire']
  const needed: readonly Peer[] = ['go-client', 'spire-server', 'spire-agent']
  for (const server of kinds) {
    for (const agent of kinds) {
      interop(`${server} server with ${agent} agent`, needed, () => story(server, agent))
    }
  }
})
