/**
 * Declared entries at SPIRE's server and at ours: the same file, the same plan, the same entries in the end, seen by
 * SPIRE's own command. Whatever belongs to somebody else is as it was.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { type Kind, type Server, startServer } from '../processes/cluster.ts'
import { interop, type Peer } from './interop.ts'

const parent = 'spiffe://example.org/nodes'

const web = {
  spiffe_id: 'spiffe://example.org/web',
  parent_id: parent,
  selectors: [
    { type: 'unix', value: 'uid:1001' },
    { type: 'unix', value: 'gid:1001' },
  ],
  x509_svid_ttl: 600,
  jwt_svid_ttl: 120,
  dns_names: ['web.example.org', 'a.example.org', 'WEB2.example.org'],
  admin: true,
  downstream: true,
  entryExpiry: 4102444800,
  hint: 'public',
  additional_attributes: { disable_x509_svid_prefetch: true, jwt_svid_include_jti: true },
}
const db = {
  entry_id: 'shop.db',
  spiffe_id: 'spiffe://example.org/db',
  parent_id: parent,
  selectors: [{ type: 'unix', value: 'uid:1002' }],
  store_svid: true,
}

interface Shown {
  readonly id: string
  readonly spiffe_id: { readonly path: string }
  readonly revision_number: string
}

async function shown(server: Server): Promise<readonly Shown[]> {
  const { stdout } = await server.cli('spire', 'entry', 'show', '-output', 'json')
  // Cast: protojson of ListEntriesResponse.
  return (JSON.parse(stdout) as { readonly entries: readonly Shown[] }).entries
}

function declare(server: Server, document: object): string {
  const path = join(server.dir, 'entries.json')
  writeFileSync(path, JSON.stringify(document))
  return path
}

const last = (text: string) => text.trimEnd().split('\n').at(-1)

async function story(kind: Kind): Promise<void> {
  await using server = await startServer(kind)
  const steeple = (verb: 'diff' | 'apply', path: string, ...flags: readonly string[]) =>
    server.cli('steeple', 'entry', verb, path, ...flags)
  const others = ['-parentID', parent, '-selector', 'unix:uid:1', '-spiffeID']
  await server.cli('spire', 'entry', 'create', '-entryID', 'shopkeeper', ...others, `${parent}/x`)
  const before = await shown(server)

  const first = declare(server, { owner: 'shop', entries: [web, db] })
  const planned = await steeple('diff', first)
  expect([planned.code, planned.stderr]).toEqual([2, ''])
  expect(last(planned.stdout)).toBe('2 to create, 0 to update, 0 to delete, 0 unchanged')
  expect(await shown(server)).toEqual(before)
  const dry = await steeple('apply', first, '-dryRun')
  expect([dry.code, await shown(server)]).toEqual([0, before])

  const applied = await steeple('apply', first)
  expect([applied.code, applied.stderr, applied.stdout]).toEqual([0, '', planned.stdout])
  const after = await shown(server)
  const ids = after.map(({ id }) => id).toSorted()
  expect(ids).toEqual([expect.stringMatching(/^shop\.[0-9a-f]{32}$/), 'shop.db', 'shopkeeper'])
  // everything that a file can say comes back as it was said
  expect(await steeple('diff', first)).toEqual({
    code: 0,
    stdout: '0 to create, 0 to update, 0 to delete, 2 unchanged\n',
    stderr: '',
  })
  expect((await steeple('apply', first, '-prune')).code).toBe(0)
  expect(await shown(server)).toEqual(after)

  // fields change in place, those that are left out go back to nothing; an ID of its own survives everything
  const { x509_svid_ttl: _, additional_attributes: __, ...plain } = web
  const moved = { ...db, spiffe_id: 'spiffe://example.org/db2', store_svid: false }
  const second = declare(server, {
    owner: 'shop',
    entries: [{ ...plain, dns_names: ['a.example.org', 'web.example.org'] }, moved],
  })
  const changed = await steeple('apply', second, '-output', 'json')
  expect([changed.code, changed.stderr]).toEqual([0, ''])
  expect(JSON.parse(changed.stdout)).toMatchObject({
    owner: 'shop',
    applied: true,
    create: [],
    update: [
      {
        changes: [
          { field: 'x509_svid_ttl', from: 600, to: 0 },
          { field: 'dns_names', to: ['a.example.org', 'web.example.org'] },
          { field: 'additional_attributes.disable_x509_svid_prefetch', from: true, to: false },
          { field: 'additional_attributes.jwt_svid_include_jti', from: true, to: false },
        ],
      },
      {
        entry_id: 'shop.db',
        changes: [
          { field: 'spiffe_id', to: 'spiffe://example.org/db2' },
          { field: 'store_svid', from: true, to: false },
        ],
      },
    ],
    delete: [],
    conflicts: [],
    failures: [],
  })
  expect((await shown(server)).map(({ id }) => id).toSorted()).toEqual(ids)
  expect((await steeple('diff', second)).code).toBe(0)

  // what a file no longer names is kept, and goes with -prune; other people's entries never do
  const third = declare(server, {
    owner: 'shop',
    entries: [{ ...plain, selectors: [{ type: 'unix', value: 'uid:7' }] }],
  })
  const kept = await steeple('apply', third)
  expect(last(kept.stdout)).toBe(
    '1 to create, 0 to update, 0 to delete, 0 unchanged, 2 not in the file, deleted by -prune',
  )
  expect((await steeple('diff', third)).code).toBe(0)
  expect((await steeple('diff', third, '-prune')).code).toBe(2)
  expect((await steeple('apply', third, '-prune')).code).toBe(0)
  expect((await shown(server)).map(({ spiffe_id }) => spiffe_id.path)).toEqual(['/nodes/x', '/web'])
}

async function troubles(kind: Kind): Promise<void> {
  await using server = await startServer(kind)
  const apply = (document: object, ...flags: readonly string[]) =>
    server.cli('steeple', 'entry', 'apply', declare(server, document), ...flags)
  const created = ['-entryID', 'theirs', '-parentID', parent, '-spiffeID', db.spiffe_id]
  await server.cli('spire', 'entry', 'create', ...created, '-selector', 'unix:uid:1002')
  const before = await shown(server)

  // an entry of somebody else's is in the way: it is named, and not even the other entry is created
  const conflict = await apply({ owner: 'shop', entries: [web, db] }, '-prune')
  expect(conflict.code).toBe(1)
  expect(conflict.stdout).toContain(
    '! spiffe://example.org/db: entry theirs has the same SPIFFE ID, parent and selectors and is not of owner shop',
  )
  expect(conflict.stderr).toBe(
    'Error: 1 of the entries cannot be created beside those of others; nothing was changed\n',
  )
  expect(await shown(server)).toEqual(before)

  // the server refuses one entry: it is told, the others are there, and the next time only it is left
  const federated = { ...db, selectors: [{ type: 'a', value: 'b' }], federates_with: ['none.org'] }
  const refused = await apply({ owner: 'shop', entries: [federated, web] })
  expect(refused.code).toBe(1)
  expect(refused.stderr).toMatch(
    /^Failed to create entry shop\.db \(code: \w+, msg: ".*none\.org.*"\)\nError: the server refused what is told above: 1 in all\n$/,
  )
  const again = await apply({ owner: 'shop', entries: [federated, web] })
  expect(last(again.stdout)).toBe('1 to create, 0 to update, 0 to delete, 1 unchanged')

  // more than one batch, there and back
  const many = Array.from({ length: 450 }, (_, index) => ({
    ...web,
    spiffe_id: `spiffe://example.org/many/${index}`,
  }))
  expect((await apply({ owner: 'many', entries: many })).code).toBe(0)
  expect((await shown(server)).length).toBe(452)
  const gone = await apply({ owner: 'many', entries: many.slice(0, 3) }, '-prune')
  expect(last(gone.stdout)).toBe('0 to create, 0 to update, 447 to delete, 3 unchanged')
  expect((await shown(server)).length).toBe(5)
}

const KINDS: readonly (readonly [Kind, readonly Peer[]])[] = [
  ['spire', ['spire-server']],
  ['steeple', ['spire-server']],
]

describe.each(KINDS)('declared entries at a %s server', (kind, needs) => {
  interop('become what the file says, and nothing else changes', needs, () => story(kind))
  interop('are told when they cannot be had', needs, () => troubles(kind))
})
