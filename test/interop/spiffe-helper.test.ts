/** spiffe-helper keeps files up to date from our agent, as it does from SPIRE's. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { startAgent, startServer } from '../processes/cluster.ts'
import { run, start, until } from '../processes/process.ts'
import { interop, peer } from './interop.ts'

interop(
  'spiffe-helper writes SVID, key, bundle and JWT files and renews them',
  ['spiffe-helper', 'openssl'],
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'steeple-helper-'))
    await using server = await startServer('steeple', { settings: 'default_x509_svid_ttl = "20s"' })
    await using agent = await startAgent('steeple', server)
    await server.cli(
      'steeple',
      ...['entry', 'create', '-parentID', agent.id, '-spiffeID', 'spiffe://example.org/helped'],
      ...['-selector', `unix:uid:${process.getuid?.()}`],
    )
    const config = join(dir, 'helper.conf')
    writeFileSync(
      config,
      `agent_address = "${agent.socket}"
cert_dir = "${dir}"
svid_file_name = "svid.pem"
svid_key_file_name = "key.pem"
svid_bundle_file_name = "bundle.pem"
jwt_bundle_file_name = "bundle.json"
jwt_svids = [{ jwt_audience = "audience", jwt_svid_file_name = "token" }]
daemon_mode = true
`,
    )
    await using helper = start(peer('spiffe-helper'), ['-config', config])
    const read = (name: string) => readFileSync(join(dir, name), 'utf8')
    const first = await until(
      'the first files',
      async () => read('token') !== '' && read('svid.pem'),
    )
    const verified = await run('openssl', [
      'verify',
      '-CAfile',
      join(dir, 'bundle.pem'),
      join(dir, 'svid.pem'),
    ])
    expect(verified.stdout).toContain(': OK')
    expect(Object.keys(JSON.parse(read('bundle.json')))).toEqual(['example.org'])
    await until('the renewed SVID', async () => read('svid.pem') !== first)
    expect(helper.output()).not.toMatch(/level=error/)
    rmSync(dir, { recursive: true })
  },
)
