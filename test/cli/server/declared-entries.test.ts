/** `entry diff` and `entry apply` at a real server: what they print, and what their exit codes say. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../run.ts'
import { openScriptedServer } from '../scripted-server.ts'
import { type Operator, openOperator } from './operator.ts'

let operator: Operator
beforeAll(async () => {
  operator = await openOperator()
})
afterAll(async () => await operator[Symbol.asyncDispose]())

const YAML = `
owner: shop
entries:
  - entry_id: shop.web
    spiffe_id: spiffe://example.org/web
    parent_id: spiffe://example.org/nodes
    selectors: [{type: unix, value: "uid:1000"}]
    x509_svid_ttl: 600
`

test('a file in YAML from standard input: the plan is printed, done, and then there is nothing to do', async () => {
  const around = { input: YAML }
  const planned = await operator.steeple('entry diff -', [], around)
  const text = `+ shop.web spiffe://example.org/web
    parent_id: spiffe://example.org/nodes
    selectors: [unix:uid:1000]
    x509_svid_ttl: 600

1 to create, 0 to update, 0 to delete, 0 unchanged
`
  expect(planned).toEqual({ code: 2, out: text, err: '' })
  expect(await operator.steeple('entry apply - -dryRun', [], around)).toEqual({
    ...planned,
    code: 0,
  })
  expect(await operator.steeple('entry apply -', [], around)).toEqual({ ...planned, code: 0 })
  const unchanged = '0 to create, 0 to update, 0 to delete, 1 unchanged\n'
  for (const verb of ['diff', 'apply']) {
    const again = await operator.steeple(`entry ${verb} -`, [], around)
    expect(again).toEqual({ code: 0, out: unchanged, err: '' })
  }
})

test('changes are shown with what was and what will be, deletions by a minus, and as JSON', async () => {
  const path = join(operator.files, 'changed.json')
  const web = {
    entry_id: 'shop.web',
    spiffe_id: 'spiffe://example.org/web',
    parent_id: 'spiffe://example.org/nodes',
    selectors: [{ type: 'unix', value: 'uid:1000' }],
    hint: 'public',
    dns_names: ['a.example.org'],
  }
  const old = { ...web, entry_id: 'shop.old', spiffe_id: 'spiffe://example.org/old' }
  writeFileSync(path, JSON.stringify({ owner: 'shop', entries: [web, old] }))
  expect((await operator.steeple('entry apply', [path])).code).toBe(0)
  writeFileSync(
    path,
    JSON.stringify({ owner: 'shop', entries: [{ ...web, admin: true, hint: '' }] }),
  )
  const kept = await operator.steeple('entry diff', [path])
  expect(kept).toEqual({
    code: 2,
    err: '',
    out: `~ shop.web spiffe://example.org/web
    admin: false -> true
    hint: public -> ""

0 to create, 1 to update, 0 to delete, 0 unchanged, 1 not in the file, deleted by -prune
`,
  })
  const pruned = await operator.steeple('entry diff', [path, '-prune'])
  expect(pruned.out).toMatch(/^- shop\.old spiffe:\/\/example\.org\/old\n~ shop\.web /)
  const json = await operator.steeple('entry apply', [path, '-prune', '-output', 'json'])
  expect([json.code, json.err]).toEqual([0, ''])
  expect(JSON.parse(json.out)).toEqual({
    owner: 'shop',
    applied: true,
    create: [],
    update: [
      {
        entry_id: 'shop.web',
        spiffe_id: 'spiffe://example.org/web',
        changes: [
          { field: 'admin', from: false, to: true },
          { field: 'hint', from: 'public', to: '' },
        ],
      },
    ],
    delete: [
      {
        entry_id: 'shop.old',
        spiffe_id: 'spiffe://example.org/old',
        parent_id: 'spiffe://example.org/nodes',
        selectors: ['unix:uid:1000'],
        hint: 'public',
        dns_names: ['a.example.org'],
      },
    ],
    conflicts: [],
    unchanged: [],
    kept: [],
    failures: [],
  })
})

test('without the word of the program it is the same command', async () => {
  const ran = await run(['entry', 'diff', '-', '-socketPath', operator.server.socketPath], {
    input: 'owner: nobody\n',
  })
  expect(ran).toEqual({
    code: 0,
    out: '0 to create, 0 to update, 0 to delete, 0 unchanged\n',
    err: '',
  })
})

test.for([
  [
    'pruning without an owner',
    ['-prune'],
    'entries: []',
    'Error: -prune needs an "owner" in standard input: another file without one would lose its entries\n',
  ],
  ['a mistake in the file', [], 'owner: shop\nentrys: []\n', 'Error: entrys means nothing here\n'],
] as const)('%s is refused before the server is asked', async ([, flags, input, said]) => {
  const line = ['entry', 'apply', '-', ...flags, '-socketPath', '/nonexistent/api.sock']
  expect(await run(line, { input })).toEqual({ code: 1, out: '', err: said })
})

test('a file that there is not, and a directory, are refused by name', async () => {
  mkdirSync(join(operator.files, 'folder'))
  for (const name of ['none.yaml', 'folder']) {
    const ran = await operator.steeple('entry diff', [join(operator.files, name)])
    expect([ran.code, ran.out]).toEqual([1, ''])
    expect(ran.err).toContain(name)
  }
})

test('a server that says nothing of an entry has not done it', async () => {
  await using server = await openScriptedServer({
    answers: { ListEntries: { entries: [] }, BatchCreateEntry: { results: [] } },
  })
  const ran = await run(['entry', 'apply', '-', '-socketPath', server.path], { input: YAML })
  expect(ran.code).toBe(1)
  expect(ran.err).toBe(
    'Failed to create entry shop.web (code: Unknown, msg: "the server said nothing of it")\n' +
      'Error: the server refused what is told above: 1 in all\n',
  )
})

test('a request that fails as a whole ends the command, with what it was about', async () => {
  await using server = await openScriptedServer({
    answers: { ListEntries: { entries: [] } },
    refusals: { BatchCreateEntry: { code: 14, details: 'going away' } },
  })
  const ran = await run(['entry', 'apply', '-', '-socketPath', server.path], { input: YAML })
  expect([ran.code, ran.err]).toEqual([
    1,
    'Error: unable to create entries: rpc error: code = Unavailable desc = going away\n',
  ])
})
