/**
 * Moving from SPIRE's server to ours, and back: what one exports the other imports, and both then show the same entries by
 * SPIRE's own command.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type Kind, type Server, startServer } from '../processes/cluster.ts'
import { interop } from './interop.ts'

const parent = 'spiffe://example.org/nodes'
const entries = [
  {
    ...{ entry_id: 'web-one', spiffe_id: 'spiffe://example.org/web', parent_id: parent },
    selectors: [
      { type: 'unix', value: 'uid:1001' },
      { type: 'docker', value: 'label:a:b "c" é' },
    ],
    ...{ x509_svid_ttl: 600, jwt_svid_ttl: 120, admin: true, downstream: true, hint: 'public' },
    ...{ dns_names: ['web.example.org', 'a.example.org'], entryExpiry: 4102444800 },
    federates_with: ['other.example'],
    additional_attributes: { disable_x509_svid_prefetch: true, jwt_svid_include_jti: true },
  },
  {
    ...{ spiffe_id: 'spiffe://example.org/db', parent_id: parent, store_svid: true },
    selectors: [{ type: 'aws_secretsmanager', value: 'secretname:x' }],
  },
  ...Array.from({ length: 1_200 }, (_, index) => ({
    ...{ spiffe_id: `spiffe://example.org/many/${index}`, parent_id: parent },
    selectors: [{ type: 'unix', value: `uid:${index}` }],
  })),
]

interface Shown {
  readonly [field: string]: unknown
}

/** Without what each server sets by itself. */
async function shown(server: Server): Promise<readonly Shown[]> {
  const { stdout } = await server.cli('spire', 'entry', 'show', '-output', 'json')
  // Cast: protojson of ListEntriesResponse.
  const { entries: all } = JSON.parse(stdout) as { readonly entries: readonly Shown[] }
  return all
    .map(({ created_at: _, revision_number: __, ...chosen }) => chosen)
    .toSorted((one, other) => (String(one.id) < String(other.id) ? -1 : 1))
}

async function move(source: Kind, target: Kind): Promise<void> {
  await using from = await startServer(source)
  await using to = await startServer(target)
  const bundle = join(from.dir, 'other.jwks')
  await using other = await startServer('steeple', { trustDomain: 'other.example' })
  writeFileSync(bundle, (await other.cli('steeple', 'bundle', 'show', '-format', 'spiffe')).stdout)
  const federated = await from.cli(
    ...(['spire', 'federation', 'create', '-trustDomain', 'other.example'] as const),
    ...[
      '-bundleEndpointURL',
      'https://other.example/bundle',
      '-bundleEndpointProfile',
      'https_spiffe',
    ],
    ...[
      '-endpointSpiffeID',
      'spiffe://other.example/endpoint',
      '-trustDomainBundleFormat',
      'spiffe',
    ],
    ...['-trustDomainBundlePath', bundle],
  )
  expect([federated.code, federated.stderr]).toEqual([0, ''])
  const data = join(from.dir, 'data.json')
  for (let start = 0; start < entries.length; start += 400) {
    writeFileSync(data, JSON.stringify({ entries: entries.slice(start, start + 400) }))
    const created = await from.cli('spire', 'entry', 'create', '-data', data)
    expect([created.code, created.stderr]).toEqual([0, ''])
  }

  const file = join(from.dir, 'export.json')
  const exported = await from.cli('steeple', 'export', file, '-federation')
  expect(exported).toEqual({
    code: 0,
    stdout: `${entries.length + 1} items written to ${file}\n`,
    stderr: '',
  })

  const count = entries.length + 1
  const steps = [
    ['-dryRun', `${count} to create, 0 to update, 0 unchanged, 0 refused\n`],
    ['-update', `${count} created, 0 updated, 0 unchanged, 0 refused\n`],
    ['-update', `0 created, 0 updated, ${count} unchanged, 0 refused\n`],
  ] as const
  for (const [flag, stdout] of steps) {
    const imported = await to.cli('steeple', 'import', file, flag)
    expect(imported).toEqual({ code: 0, stdout, stderr: '' })
  }
  expect(await shown(to)).toEqual(await shown(from))
  const listed = (server: Server) => server.cli('spire', 'federation', 'list', '-output', 'json')
  expect((await listed(to)).stdout).toBe((await listed(from)).stdout)

  // SPIRE's own commands take the file as it is, too: they name what is not theirs, and find all of it there
  const again = join(to.dir, 'again.json')
  await to.cli('steeple', 'export', again)
  const lines = readFileSync(again, 'utf8').split('\n')
  const few = join(to.dir, 'few.json')
  writeFileSync(few, `{"entries": [\n${lines[1]?.replace(/,$/, '')}\n]}\n`)
  const taken = await to.cli('spire', 'entry', 'create', '-data', few)
  expect(taken.stderr + taken.stdout).toContain('AlreadyExists')
}

const PEERS = ['spire-server'] as const

interop("entries and federations of SPIRE's server move to ours", PEERS, () =>
  move('spire', 'steeple'),
)
interop("entries and federations of ours move to SPIRE's server", PEERS, () =>
  move('steeple', 'spire'),
)
