/** What we sign, judged by linters and verifiers that are not ours. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { startAgent, startServer } from '../processes/cluster.ts'
import { run, until } from '../processes/process.ts'
import { interop, peer } from './interop.ts'

/** pkilint does not know the spiffe URI scheme; nothing else may be found. */
const EXPECTED_FINDING = 'pkix.invalid_uri_syntax'

async function lint(path: string): Promise<void> {
  const { stdout, stderr } = await run(peer('pkilint'), ['lint', '-s', 'WARNING', path])
  expect(stderr).toBe('')
  const findings = stdout.match(/\b[a-z]+\.[a-z_0-9]+ \((ERROR|WARNING|FATAL)\)/g) ?? []
  expect(findings.filter((finding) => !finding.startsWith(EXPECTED_FINDING))).toEqual([])
}

const LEAF_KEYS = ['ec-p256', 'ec-p384', 'rsa-2048'] as const
const CA_KEYS = ['ec-p256', 'ec-p384', 'rsa-2048', 'rsa-4096'] as const

for (const caKey of CA_KEYS) {
  interop(
    `a ${caKey} CA and what it signs pass openssl verify and pkilint`,
    ['openssl', 'pkilint'],
    async () => {
      const dir = mkdtempSync(join(tmpdir(), 'steeple-certs-'))
      await using server = await startServer('steeple', { settings: `ca_key_type = "${caKey}"` })
      const mint = await server.cli(
        'steeple',
        ...[
          'x509',
          'mint',
          '-spiffeID',
          'spiffe://example.org/minted',
          '-dns',
          'minted.example.org',
        ],
        ...['-write', dir],
      )
      expect(mint.code).toBe(0)
      const verified = await run('openssl', [
        'verify',
        '-x509_strict',
        '-CAfile',
        join(dir, 'bundle.pem'),
        join(dir, 'svid.pem'),
      ])
      expect(verified.stdout).toContain(': OK')
      await lint(join(dir, 'svid.pem'))
      await lint(join(dir, 'bundle.pem'))
      rmSync(dir, { recursive: true })
    },
  )
}

for (const leafKey of LEAF_KEYS) {
  interop(
    `a workload's ${leafKey} SVID passes openssl verify and pkilint`,
    ['openssl', 'pkilint'],
    async () => {
      const dir = mkdtempSync(join(tmpdir(), 'steeple-certs-'))
      await using server = await startServer('steeple')
      await using agent = await startAgent('steeple', server, {
        settings: `workload_x509_svid_key_type = "${leafKey}"`,
      })
      await server.cli(
        'steeple',
        ...['entry', 'create', '-parentID', agent.id, '-spiffeID', 'spiffe://example.org/leaf'],
        ...['-selector', `unix:uid:${process.getuid?.()}`],
      )
      await until('the SVID', async () => {
        const { code } = await agent.cli('steeple', 'api', 'fetch', 'x509', '-write', dir)
        return code === 0
      })
      expect(readdirSync(dir).sort()).toEqual(['bundle.0.pem', 'svid.0.key', 'svid.0.pem'])
      const verified = await run('openssl', [
        'verify',
        '-x509_strict',
        '-CAfile',
        join(dir, 'bundle.0.pem'),
        join(dir, 'svid.0.pem'),
      ])
      expect(verified.stdout).toContain(': OK')
      await lint(join(dir, 'svid.0.pem'))
      rmSync(dir, { recursive: true })
    },
  )
}
