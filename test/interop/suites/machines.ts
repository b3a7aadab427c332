/** Machines that have a certificate from elsewhere, as x509pop wants it: a company's authority, and its servers below. */
import type { KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fingerprintOf } from '../../../server/attest/x509pop-selectors.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import type { KeyType } from '../../../spiffe/key.ts'
import { parseCertificate } from '../../../spiffe/x509/certificate.ts'
import { toPem } from '../../../spiffe/x509/pem.ts'
import { testCa } from '../../fakes/ca.ts'

export interface Machine {
  /** The agent's plugin block. */
  readonly block: string
  /** The ID that its agent gets. */
  readonly id: string
  /** Of the machine's own certificate, as hexadecimal digits. */
  readonly serial: string
  /** DER, leaf first, without the root. */
  readonly chain: readonly Uint8Array[]
  readonly key: KeyObject
}

export interface Company extends Disposable {
  /** The server's plugin block. */
  readonly block: string
  /** Fingerprints of the authorities between a machine and the root, and of the root. */
  readonly fingerprints: readonly string[]
  /** @param env value of the URI SAN `x509pop://example.org/env/…` */
  machine(env: string, keyType?: KeyType): Promise<Machine>
}

const HOUR_MS = 3_600_000

/** @param more further lines of the server's plugin block */
export async function foundCompany(more = ''): Promise<Company> {
  const now = systemClock.now().getTime()
  const validity = { notBefore: new Date(now - HOUR_MS), notAfter: new Date(now + HOUR_MS) }
  const dir = mkdtempSync(join(tmpdir(), 'machines-'))
  const root = await testCa({ ...validity, uriSans: [] })
  const issuing = await root.intermediate({ ...validity, uriSans: [] })
  writeFileSync(join(dir, 'ca.pem'), toPem('CERTIFICATE', root.certificate))
  writeFileSync(join(dir, 'issuing.pem'), toPem('CERTIFICATE', issuing.certificate))
  let machines = 0
  return {
    block: `NodeAttestor "x509pop" { plugin_data { ca_bundle_path = "${dir}/ca.pem" ${more} } }`,
    fingerprints: [issuing, root].map(({ certificate }) => fingerprintOf({ der: certificate })),
    async machine(env, keyType = 'ec-p256') {
      const node = await issuing.leaf('', {
        ...validity,
        keyType,
        subject: 'CN=node one',
        uriSans: [`x509pop://example.org/env/${env}`],
        extKeyUsage: undefined,
      })
      const path = join(dir, `machine-${++machines}`)
      writeFileSync(`${path}.pem`, toPem('CERTIFICATE', node.certificate))
      writeFileSync(`${path}.key`, node.key.export({ type: 'pkcs8', format: 'pem' }))
      return {
        block: `NodeAttestor "x509pop" { plugin_data {
          certificate_path = "${path}.pem" private_key_path = "${path}.key" intermediates_path = "${dir}/issuing.pem"
        } }`,
        id: `spiffe://example.org/spire/agent/x509pop/${fingerprintOf({ der: node.certificate })}`,
        serial: parseCertificate(node.certificate).serialHex,
        chain: node.chain,
        key: node.key,
      }
    },
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  }
}
