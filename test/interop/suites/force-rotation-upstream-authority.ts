/**
 * An operator replaces the CA above a running trust domain: the new one signs the next authority, the old one is tainted
 * and revoked by its subject key ID. Agents and workloads move away from every chain of the old one by themselves.
 */
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { parseCertificate } from '../../../spiffe/x509/certificate.ts'
import { fromPem } from '../../../spiffe/x509/pem.ts'
import type { Agent } from '../../processes/cluster.ts'
import { run, start, until } from '../../processes/process.ts'
import { peer } from '../interop.ts'
import { authorityIn, published } from './authorities.ts'
import {
  type Cell,
  endpointOf,
  fail,
  goFetches,
  listed,
  openAgent,
  openServer,
  POLL_MS,
  register,
  served,
  succeed,
} from './cell.ts'

const certificateIn = (dir: string) => join(dir, 'upstream.pem')
const keyIn = (dir: string) => join(dir, 'upstream.key')

/** Puts another CA where the server reads its upstream CA. @returns its subject key ID */
async function makeUpstream(dir: string): Promise<string> {
  const [certificate, key] = [join(dir, 'next.pem'), join(dir, 'next.key')]
  const made = await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-keyout', key, '-out', certificate, '-days', '2', '-subj', '/CN=upstream'],
    ...['-addext', 'subjectAltName=URI:spiffe://example.org'],
  ])
  if (made.code !== 0) throw new Error(made.stderr)
  renameSync(key, keyIn(dir))
  renameSync(certificate, certificateIn(dir))
  const [der] = fromPem('CERTIFICATE', readFileSync(certificateIn(dir), 'utf8'))
  return parseCertificate(der ?? new Uint8Array()).subjectKeyId ?? expect.unreachable()
}

/** Key IDs of the upstream CAs above what workloads are served now: who signed the last certificate of each chain. */
const roots = async (agent: Agent) =>
  [...new Set((await served(agent)).map(({ chain }) => chain.at(-1)?.authorityKeyId))].join()

export async function tell(cell: Cell): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'upstream-'))
  try {
    await tellIn(dir, cell)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function tellIn(dir: string, cell: Cell): Promise<void> {
  const old = await makeUpstream(dir)
  const plugins = `UpstreamAuthority "disk" { plugin_data {
    cert_file_path = "${certificateIn(dir)}"
    key_file_path = "${keyIn(dir)}"
  } }`
  await using server = await openServer(cell, { plugins })
  await using agent = await openAgent(cell, server)
  await register(server, agent.id, 'spiffe://example.org/first')
  await until('go-spiffe to be served', () => goFetches(agent))
  expect(await roots(agent)).toBe(old)
  await using watcher = start(peer('go-client'), ['watch'], { env: endpointOf(agent) })
  await watcher.line(/"id":"spiffe:\/\/example.org\/first"/)

  const serial = (await listed(server, agent.id))?.x509svid_serial_number
  const next = await makeUpstream(dir)
  const at = (verb: string, id: string) => ['upstreamauthority', verb, '-subjectKeyID', id] as const
  await fail(
    server,
    'unable to use upstream authority singing current authority',
    ...at('taint', old),
  )
  await fail(
    server,
    'unable to use upstream authority singing current authority',
    ...at('revoke', old),
  )
  await succeed(server, 'localauthority', 'x509', 'prepare')
  const prepared = (await authorityIn(server, 'x509', 'prepared')) ?? expect.unreachable()
  await succeed(server, 'localauthority', 'x509', 'activate', '-authorityID', prepared)
  expect((await published(server)).x509).toBe(2)
  await fail(server, /tainted/, ...at('revoke', old))
  await succeed(server, ...at('taint', old))
  const isRotated = async () => (await roots(agent)) === next
  await until('the workload to have a chain of the new upstream CA', isRotated, POLL_MS)
  const isRenewed = async () => (await listed(server, agent.id))?.x509svid_serial_number !== serial
  await until('the agent to have an SVID of the new upstream CA', isRenewed, POLL_MS)
  await succeed(server, ...at('revoke', old))
  expect((await published(server)).x509).toBe(1)

  // What happens after the revocation still reaches the workload, and verifies there.
  await register(server, agent.id, 'spiffe://example.org/second')
  await watcher.line(/"id":"spiffe:\/\/example.org\/second"/)
  await until('go-spiffe to verify what it is served', () => goFetches(agent))
  expect(watcher.output()).not.toContain('"error"')
}
