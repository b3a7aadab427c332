/**
 * Two trust domains that fetch each other's bundle from where it is served, ours or SPIRE's in any combination, by both
 * profiles: their workloads call each other by mutual TLS and believe each other's tokens, through forced rotations on
 * both sides, and go on when one endpoint is away.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect } from 'vitest'
import { authorityIdOf } from '../../spiffe/x509/key-id.ts'
import { fromPem } from '../../spiffe/x509/pem.ts'
import {
  type Agent,
  freePort,
  type Kind,
  type Server,
  startAgent,
  startServer,
} from '../processes/cluster.ts'
import { run, start, until } from '../processes/process.ts'
import { interop, type Peer, peer } from './interop.ts'

type Profile = 'https_spiffe' | 'https_web'

const ROTATION_MS = 100_000
const files = mkdtempSync(join(tmpdir(), 'steeple-web-'))
afterAll(() => rmSync(files, { recursive: true, force: true }))

/** A certificate for 127.0.0.1 that both programs take for one of the Web, because the system's roots say so. */
async function makeWebCertificate(): Promise<{ readonly cert: string; readonly key: string }> {
  const [cert, key] = [join(files, 'cert.pem'), join(files, 'key.pem')]
  const made = await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=web'],
    ...['-addext', 'subjectAltName=IP:127.0.0.1'],
  ])
  if (made.code !== 0) throw new Error(made.stderr)
  process.env.SSL_CERT_FILE = cert
  return { cert, key }
}

let made: ReturnType<typeof makeWebCertificate> | undefined
const webCertificate = () => {
  made ??= makeWebCertificate()
  return made
}

interface Side {
  readonly kind: Kind
  readonly trustDomain: string
  readonly endpointPort: number
}

function settings(own: Side, other: Side, profile: Profile, web: { cert: string; key: string }) {
  const served =
    profile === 'https_spiffe'
      ? 'profile "https_spiffe" {}'
      : `profile "https_web" { serving_cert_file { cert_file_path = "${web.cert}"  key_file_path = "${web.key}"  file_sync_interval = "1m" } }`
  const asked =
    profile === 'https_spiffe'
      ? `bundle_endpoint_profile "https_spiffe" { endpoint_spiffe_id = "spiffe://${other.trustDomain}/spire/server" }`
      : 'bundle_endpoint_profile "https_web" {}'
  return `federation {
    bundle_endpoint { address = "127.0.0.1"  port = ${own.endpointPort}  refresh_hint = "1m"  ${served} }
    federates_with "${other.trustDomain}" {
      bundle_endpoint_url = "https://127.0.0.1:${other.endpointPort}/"
      ${asked}
    }
  }`
}

async function succeed(server: Server, ...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await server.cli('spire', ...words)
  if (code !== 0) throw new Error(`${words.join(' ')}: ${stdout}${stderr}`)
  return stdout
}

/** https_spiffe needs the other bundle once, to begin with. */
async function seed(server: Server, other: Server): Promise<void> {
  const path = join(server.dir, 'seed.json')
  writeFileSync(path, await succeed(other, 'bundle', 'show', '-format', 'spiffe'))
  const id = `spiffe://${other.trustDomain}`
  await succeed(server, 'bundle', 'set', '-format', 'spiffe', '-id', id, '-path', path)
}

const keyIds = (pem: string) => fromPem('CERTIFICATE', pem).map(authorityIdOf).sort().join()

/** Whether `server` has the newest bundle of `other`. */
async function knows(server: Server, other: Server): Promise<boolean> {
  const list = await server.cli('spire', 'bundle', 'list', '-id', `spiffe://${other.trustDomain}`)
  return list.code === 0 && keyIds(list.stdout) === keyIds(await succeed(other, 'bundle', 'show'))
}

async function workload(server: Server, agent: Agent, other: Server): Promise<string> {
  const id = `spiffe://${server.trustDomain}/w`
  await succeed(
    server,
    ...['entry', 'create', '-parentID', agent.id, '-spiffeID', id],
    ...['-selector', `unix:uid:${process.getuid?.()}`],
    ...['-federatesWith', `spiffe://${other.trustDomain}`],
  )
  return id
}

const env = (agent: Agent) => ({ SPIFFE_ENDPOINT_SOCKET: `unix://${agent.socket}` })

/** A workload of `from` calls one of `to` by mutual TLS, and its token is believed there. */
async function calls(from: Agent, fromId: string, to: Agent, toId: string): Promise<boolean> {
  const served = start(peer('go-client'), ['serve', '127.0.0.1:0', fromId], { env: env(to) })
  await using _served = served
  const [, port = ''] = await served.line(/"listening":"127\.0\.0\.1:(\d+)"/)
  const called = await run(peer('go-client'), ['call', `https://127.0.0.1:${port}`, toId], {
    env: env(from),
  })
  if (called.code !== 0) return false
  expect(called.stdout).toContain(`hello ${fromId}`)
  const fetched = await from.cli('spire', 'api', 'fetch', 'jwt', '-audience', 'there')
  const token = fetched.stdout.match(/^\t(ey\S+)$/m)?.[1]
  if (token === undefined) return false
  const judged = await to.cli(
    ...(['spire', 'api', 'validate', 'jwt', '-audience', 'there', '-svid', token] as const),
  )
  return judged.code === 0
}

async function story(kinds: readonly [Kind, Kind], profile: Profile): Promise<void> {
  const web = profile === 'https_web' ? await webCertificate() : { cert: '', key: '' }
  const a: Side = { kind: kinds[0], trustDomain: 'a.example', endpointPort: await freePort() }
  const b: Side = { kind: kinds[1], trustDomain: 'b.example', endpointPort: await freePort() }
  const startSide = (own: Side, other: Side) =>
    startServer(own.kind, {
      trustDomain: own.trustDomain,
      settings: settings(own, other, profile, web),
    })
  await using left = await startSide(a, b)
  await using right = await startSide(b, a)
  if (profile === 'https_spiffe') {
    await seed(left, right)
    await seed(right, left)
  }
  await until(
    'each to know the other',
    async () => (await knows(left, right)) && knows(right, left),
    ROTATION_MS,
  )
  await using leftAgent = await startAgent(a.kind, left)
  await using rightAgent = await startAgent(b.kind, right)
  const leftId = await workload(left, leftAgent, right)
  const rightId = await workload(right, rightAgent, left)
  const bothCall = async () =>
    (await calls(leftAgent, leftId, rightAgent, rightId)) &&
    (await calls(rightAgent, rightId, leftAgent, leftId))
  await until('both to call each other', bothCall)

  for (const server of [left, right]) await rotate(server)
  await until(
    'each to know the other’s new authority',
    async () => (await knows(left, right)) && knows(right, left),
    ROTATION_MS,
  )
  for (const server of [left, right]) await activate(server)
  await until('both to call each other after the rotation', bothCall)

  await left.process()[Symbol.asyncDispose]()
  expect(await bothCall()).toBe(true)
}

async function rotate(server: Server): Promise<void> {
  for (const kind of ['x509', 'jwt']) await succeed(server, 'localauthority', kind, 'prepare')
}

async function activate(server: Server): Promise<void> {
  for (const kind of ['x509', 'jwt']) {
    const shown = await succeed(server, 'localauthority', kind, 'show')
    const [, id = ''] = /Prepared [^:]*authority:\s+Authority ID: (\S+)/.exec(shown) ?? []
    await succeed(server, 'localauthority', kind, 'activate', '-authorityID', id)
  }
}

describe.concurrent('two trust domains federate', () => {
  const needed: readonly Peer[] = ['spire-server', 'spire-agent', 'go-client', 'openssl']
  const kinds: readonly Kind[] = ['steeple', 'spire']
  for (const profile of ['https_spiffe', 'https_web'] as const) {
    for (const left of kinds) {
      for (const right of kinds) {
        // What two real ones do with each other is not ours to prove.
        if (left === 'spire' && right === 'spire') continue
        interop(`${left} with ${right} by ${profile}`, needed, () => story([left, right], profile))
      }
    }
  }
})
