/**
 * Two trust domains, each a server and an agent of either kind, that fetch each other's bundle from where it is served:
 * with a workload on each side that is given the other's bundle.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { authorityIdOf } from '../../../spiffe/x509/key-id.ts'
import { fromPem } from '../../../spiffe/x509/pem.ts'
import {
  type Agent,
  type Kind,
  type Server,
  startAgent,
  startServer,
} from '../../processes/cluster.ts'
import { freePort } from '../../processes/free-port.ts'
import { run, until } from '../../processes/process.ts'

export type Profile = 'https_spiffe' | 'https_web'

const files = mkdtempSync(join(tmpdir(), 'steeple-web-'))
process.once('exit', () => rmSync(files, { recursive: true, force: true }))

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

export async function succeed(server: Server, ...words: readonly string[]): Promise<string> {
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
export async function knows(server: Server, other: Server): Promise<boolean> {
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

/** One trust domain: its server, its agent, and the SPIFFE ID of the workload that is registered there. */
export interface Domain {
  readonly server: Server
  readonly agent: Agent
  readonly workloadId: string
}

export interface TwoDomains extends AsyncDisposable {
  readonly left: Domain
  readonly right: Domain
  /** Waits until each server has the newest bundle of the other. */
  readonly bothKnow: () => Promise<void>
}

/** The shortest time between two looks at an endpoint is a minute, SPIRE's and ours. */
const REFRESH_MS = 100_000

export async function openTwoDomains(
  kinds: readonly [Kind, Kind],
  profile: Profile,
): Promise<TwoDomains> {
  await using opened = new AsyncDisposableStack()
  const web = profile === 'https_web' ? await webCertificate() : { cert: '', key: '' }
  const a: Side = { kind: kinds[0], trustDomain: 'a.example', endpointPort: await freePort() }
  const b: Side = { kind: kinds[1], trustDomain: 'b.example', endpointPort: await freePort() }
  const startSide = async (own: Side, other: Side) =>
    opened.use(
      await startServer(own.kind, {
        trustDomain: own.trustDomain,
        settings: settings(own, other, profile, web),
      }),
    )
  const left = await startSide(a, b)
  const right = await startSide(b, a)
  if (profile === 'https_spiffe') {
    await seed(left, right)
    await seed(right, left)
  }
  const bothKnow = () =>
    until(
      'each to know the other’s newest authorities',
      async () => (await knows(left, right)) && knows(right, left),
      REFRESH_MS,
    ).then(() => {})
  await bothKnow()
  const leftAgent = opened.use(await startAgent(a.kind, left))
  const rightAgent = opened.use(await startAgent(b.kind, right))
  const domains = {
    left: { server: left, agent: leftAgent, workloadId: await workload(left, leftAgent, right) },
    right: {
      server: right,
      agent: rightAgent,
      workloadId: await workload(right, rightAgent, left),
    },
  }
  const kept = opened.move()
  return { ...domains, bothKnow, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** Where a program on go-spiffe finds the Workload API of this agent. */
export const workloadEnv = (agent: Agent) => ({ SPIFFE_ENDPOINT_SOCKET: `unix://${agent.socket}` })

/** A token of a workload of `from` is believed by the Workload API of `to`. */
export async function isTokenBelieved(from: Domain, to: Domain): Promise<boolean> {
  const fetched = await from.agent.cli('spire', 'api', 'fetch', 'jwt', '-audience', 'there')
  const token = fetched.stdout.match(/^\t(ey\S+)$/m)?.[1]
  if (token === undefined) return false
  const judged = await to.agent.cli(
    ...(['spire', 'api', 'validate', 'jwt', '-audience', 'there', '-svid', token] as const),
  )
  return judged.code === 0
}

export async function prepare(server: Server): Promise<void> {
  for (const kind of ['x509', 'jwt']) await succeed(server, 'localauthority', kind, 'prepare')
}

export async function activate(server: Server): Promise<void> {
  for (const kind of ['x509', 'jwt']) {
    const shown = await succeed(server, 'localauthority', kind, 'show')
    const [, id = ''] = /Prepared [^:]*authority:\s+Authority ID: (\S+)/.exec(shown) ?? []
    await succeed(server, 'localauthority', kind, 'activate', '-authorityID', id)
  }
}
