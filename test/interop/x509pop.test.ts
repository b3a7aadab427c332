/** Node attestation by x509pop between our programs and SPIRE's: either agent under either server, with either kind of key. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fingerprintOf } from '../../server/attest/x509pop-selectors.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { parseCertificate } from '../../spiffe/x509/certificate.ts'
import { toPem } from '../../spiffe/x509/pem.ts'
import { type TestCa, testCa } from '../fakes/ca.ts'
import { type Kind, type Server, startAgent, startServer } from '../processes/cluster.ts'
import { until } from '../processes/process.ts'

const HOUR_MS = 3_600_000
const now = systemClock.now().getTime()
const VALIDITY = { notBefore: new Date(now - HOUR_MS), notAfter: new Date(now + HOUR_MS) }

const dir = mkdtempSync(join(tmpdir(), 'x509pop-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

let ca: TestCa
let issuing: TestCa
beforeAll(async () => {
  ca = await testCa({ ...VALIDITY, uriSans: [] })
  issuing = await ca.intermediate({ ...VALIDITY, uriSans: [] })
  writeFileSync(join(dir, 'ca.pem'), toPem('CERTIFICATE', ca.certificate))
  writeFileSync(join(dir, 'issuing.pem'), toPem('CERTIFICATE', issuing.certificate))
})

const start = (kind: Kind, more = '') =>
  startServer(kind, {
    nodeAttestor: `NodeAttestor "x509pop" { plugin_data { ca_bundle_path = "${dir}/ca.pem" ${more} } }`,
  })

let nodes = 0

/** A machine with a certificate: its plugin block, and the ID it will get. */
async function machine(keyType: 'ec-p256' | 'ec-p384' | 'rsa-2048') {
  const node = await issuing.leaf('', {
    ...VALIDITY,
    keyType,
    subject: 'CN=node one',
    uriSans: ['x509pop://example.org/env/prod'],
    extKeyUsage: undefined,
  })
  const path = join(dir, `node${++nodes}`)
  writeFileSync(`${path}.pem`, toPem('CERTIFICATE', node.certificate))
  writeFileSync(`${path}.key`, node.key.export({ type: 'pkcs8', format: 'pem' }))
  const fingerprint = fingerprintOf({ der: node.certificate })
  return {
    block: `NodeAttestor "x509pop" { plugin_data {
      certificate_path = "${path}.pem" private_key_path = "${path}.key" intermediates_path = "${dir}/issuing.pem"
    } }`,
    id: `spiffe://example.org/spire/agent/x509pop/${fingerprint}`,
    serial: parseCertificate(node.certificate).serialHex,
  }
}

interface ListedAgent {
  readonly attestation_type: string
  readonly can_reattest: boolean
  readonly selectors: readonly { readonly type: string; readonly value: string }[]
  readonly x509svid_serial_number: string
}

async function shown(server: Server, id: string): Promise<ListedAgent> {
  const { stdout, stderr } = await server.cli(
    'spire',
    'agent',
    'show',
    '-spiffeID',
    id,
    '-output',
    'json',
  )
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout)
}

for (const [serverKind, agentKind] of [
  ['steeple', 'spire'],
  ['spire', 'steeple'],
  ['steeple', 'steeple'],
] as const) {
  test(`a ${agentKind} agent proves its certificates to a ${serverKind} server, which tells the same of each`, async () => {
    await using server = await start(serverKind)
    for (const keyType of ['ec-p256', 'ec-p384', 'rsa-2048'] as const) {
      const node = await machine(keyType)
      await using _agent = await startAgent(agentKind, server, { nodeAttestor: node })
      const listed = await shown(server, node.id)
      expect(listed).toMatchObject({ attestation_type: 'x509pop', can_reattest: true })
      expect(listed.selectors.map(({ type, value }) => `${type}:${value}`).sort()).toEqual(
        [
          'x509pop:subject:cn:node one',
          'x509pop:san:env:prod',
          `x509pop:serialnumber:${node.serial}`,
          `x509pop:ca:fingerprint:${fingerprintOf({ der: issuing.certificate })}`,
          `x509pop:ca:fingerprint:${fingerprintOf({ der: ca.certificate })}`,
        ].sort(),
      )
    }
  })

  test(`a ${agentKind} agent that a ${serverKind} server evicts attests again in place, and a banned one does not`, async () => {
    await using server = await start(serverKind)
    const node = await machine('ec-p256')
    await using agent = await startAgent(agentKind, server, { nodeAttestor: node })
    const before = await shown(server, node.id)
    const evicted = await server.cli('spire', 'agent', 'evict', '-spiffeID', node.id)
    expect(evicted.code).toBe(0)
    await until('the agent to be back with another SVID', async () => {
      const after = await shown(server, node.id).catch(() => undefined)
      return after !== undefined && after.x509svid_serial_number !== before.x509svid_serial_number
    })
    const banned = await server.cli('spire', 'agent', 'ban', '-spiffeID', node.id)
    expect(banned.code).toBe(0)
    expect(await agent.process().ended).not.toBe(0)
  })
}

for (const [serverKind, agentKind] of [
  ['spire', 'spire'],
  ['steeple', 'spire'],
  ['spire', 'steeple'],
] as const) {
  test(`a ${agentKind} agent exchanges an SVID that a ${serverKind} server minted for one of its own`, async () => {
    await using server = await startServer(serverKind, {
      nodeAttestor: 'NodeAttestor "x509pop" { plugin_data { mode = "spiffe" } }',
    })
    const id = 'spiffe://example.org/spire-exchange/hall/7'
    const minted = await server.cli('spire', 'x509', 'mint', '-spiffeID', id, '-write', server.dir)
    expect(minted.code).toBe(0)
    const node = {
      block: `NodeAttestor "x509pop" { plugin_data {
        certificate_path = "${server.dir}/svid.pem" private_key_path = "${server.dir}/key.pem"
      } }`,
      id: 'spiffe://example.org/spire/agent/x509pop/hall/7',
    }
    await using _agent = await startAgent(agentKind, server, { nodeAttestor: node })
    const { selectors, can_reattest: canReattest } = await shown(server, node.id)
    expect(canReattest).toBe(true)
    expect(selectors.map(({ value }) => value.replace(/[^:]*$/, '')).sort()).toEqual([
      'ca:fingerprint:',
      'serialnumber:',
    ])
  })
}

test('a certificate of another authority is refused by name', async () => {
  const stranger = await testCa({ ...VALIDITY, uriSans: [] })
  issuing = await stranger.intermediate({ ...VALIDITY, uriSans: [] })
  await using server = await start('steeple')
  const node = await machine('ec-p256')
  await expect(startAgent('spire', server, { nodeAttestor: node })).rejects.toThrow(
    /nodeattestor\(x509pop\): certificate verification failed/,
  )
})
