/** Entries leave one server as text and come into another: the same ones, once, and every refusal with its line. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Operator, openOperator } from '../operator.ts'

let from: Operator
let to: Operator
const dir = mkdtempSync(join(tmpdir(), 'steeple-export-'))
const path = (name: string) => join(dir, name)
const write = (name: string, text: string) => {
  writeFileSync(path(name), text)
  return path(name)
}

beforeAll(async () => {
  from = await openOperator()
  to = await openOperator()
})
afterAll(async () => {
  await from[Symbol.asyncDispose]()
  await to[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

const create = (operator: Operator, name: string, more: readonly string[] = []) =>
  operator.steeple(
    `entry create -parentID spiffe://example.org/nodes -spiffeID spiffe://example.org/${name} -selector unix:uid:1`,
    more,
  )

test('what one server exports another imports, with every field, and a second time there is nothing to do', async () => {
  await from.steeple(
    'federation create -trustDomain other.example -bundleEndpointURL https://other.example/b -bundleEndpointProfile https_web',
  )
  const web = await create(from, 'web', [
    ...['-entryID', 'mine', '-dns', 'b.example.org', '-dns', 'a.example.org', '-hint', 'public'],
    ...['-x509SVIDTTL', '600', '-jwtSVIDTTL', '120', '-admin', '-downstream'],
    ...['-entryExpiry', '4102444800', '-disableX509SVIDPrefetch', '-jwtSVIDIncludeJTI'],
  ])
  expect([web.code, web.err]).toEqual([0, ''])
  await create(from, 'db', ['-selector', 'docker:label:a:b "c"'])

  const exported = await from.steeple('export -federation', [path('all.json')])
  expect(exported).toEqual({ code: 0, out: `3 items written to ${path('all.json')}\n`, err: '' })
  const lines = readFileSync(path('all.json'), 'utf8').split('\n')
  expect(lines.slice(0, 4)).toEqual([
    '{"federationRelationships": [',
    '{"trustDomain":"other.example","bundleEndpointURL":"https://other.example/b","bundleEndpointProfile":"https_web"}',
    '],',
    '"entries": [',
  ])
  expect(lines.slice(-3)).toEqual([expect.stringMatching(/^\{"entry_id":".*\}$/), ']}', ''])

  const dry = await to.steeple('import -dryRun', [path('all.json')])
  expect(dry).toEqual({
    code: 0,
    out: '3 to create, 0 to update, 0 unchanged, 0 refused\n',
    err: '',
  })
  expect((await to.steeple('entry count')).out).toBe('0 registration entries\n')
  const first = await to.steeple('import', [path('all.json')])
  expect(first).toEqual({ code: 0, out: '3 created, 0 updated, 0 unchanged, 0 refused\n', err: '' })
  const second = await to.steeple('import', [path('all.json')])
  expect(second.out).toBe('0 created, 0 updated, 3 unchanged, 0 refused\n')

  await to.steeple('export -federation', [path('again.json')])
  expect(readFileSync(path('again.json'), 'utf8')).toBe(readFileSync(path('all.json'), 'utf8'))
})

test('an export goes to standard output and comes from standard input', async () => {
  const { out } = await from.steeple('export -')
  expect(out.split('\n')[0]).toBe('{"entries": [')
  const raw = readFileSync(path('all.json'), 'utf8')
  const again = await to.steeple('import -', [], { input: raw })
  expect(again.out).toBe('0 created, 0 updated, 3 unchanged, 0 refused\n')
})

test('the file is one that entry create takes, and without IDs one that entry apply takes', async () => {
  const created = await from.steeple('export', [path('entries.json')])
  expect(created.code).toBe(0)
  const taken = await to.steeple('entry create', ['-data', path('entries.json')])
  expect(taken.err).toContain('AlreadyExists')
  expect(taken.err).not.toContain('Warning')
  await from.steeple('export -withoutIDs', [path('plain.json')])
  const declared = await to.steeple('entry diff', [path('plain.json')])
  // its form is understood: what it says is there already, under other IDs
  expect(declared.err).toContain('2 of the entries cannot be created beside those of others')
})

test('what differs is refused with its line, and changed when -update says so', async () => {
  const file = write(
    'changed.json',
    readFileSync(path('all.json'), 'utf8')
      .replace('"hint":"public"', '"hint":"private"')
      .replace('https://other.example/b', 'https://other.example/c'),
  )
  const refused = await to.steeple('import', [file])
  expect(refused).toEqual({
    code: 1,
    out: '0 created, 0 updated, 1 unchanged, 2 refused\n',
    err: `${file}:2: the federation with other.example is another: give -update to change it
${file}:5: the entry of that ID is another: give -update to change it
Error: 2 could not be imported
`,
  })
  const updated = await to.steeple('import -update', [file])
  expect(updated.out).toBe('0 created, 2 updated, 1 unchanged, 0 refused\n')
  expect((await to.steeple('import', [file])).out).toBe(
    '0 created, 0 updated, 3 unchanged, 0 refused\n',
  )
})

test('YAML is taken as well, and each mistake is told with its line while the rest is imported', async () => {
  const file = write(
    'some.yaml',
    `entries:
  - spiffe_id: spiffe://example.org/good
    parent_id: spiffe://example.org/nodes
    selectors: [{ type: unix, value: 'uid:7' }]
  - spiffe_id: not an id
    parent_id: spiffe://example.org/nodes
    selectors: [{ type: unix, value: 'uid:7' }]
  - spiffe_id: spiffe://example.org/misspelt
    parent_id: spiffe://example.org/nodes
    selectors: [{ type: unix, value: 'uid:7' }]
    hnit: x
  - spiffe_id: spiffe://other.org/foreign
    parent_id: spiffe://example.org/nodes
    selectors: [{ type: unix, value: 'uid:7' }]
  - spiffe_id: spiffe://example.org/good
    parent_id: spiffe://example.org/nodes
    selectors: [{ type: unix, value: 'uid:7' }]
    hint: another
  - spiffe_id: spiffe://example.org/far
    parent_id: spiffe://example.org/nodes
    selectors: [{ type: unix, value: 'uid:7' }]
    federates_with: [nowhere.example]
`,
  )
  const { code, out, err } = await to.steeple('import', [file])
  expect([code, out]).toEqual([1, '1 created, 0 updated, 0 unchanged, 5 refused\n'])
  const lines = err.replaceAll(file, 'F').split('\n').toSorted()
  expect(lines).toEqual([
    '',
    'Error: 5 could not be imported',
    expect.stringMatching(/^F:12: the server refuses it: .*InvalidArgument/),
    'F:15: one before it in the file has the same SPIFFE ID, parent and selectors, and differs from it',
    expect.stringMatching(/^F:19: the server refuses it: .*nowhere\.example/),
    expect.stringMatching(/^F:5: invalid SPIFFE ID: scheme is missing/),
    'F:8: hnit is no member of an entry',
  ])
})

test.each([
  [
    'that ends too early',
    '{"entries": [\n{"spiffe_id":"spiffe://example.org/x"}\n',
    ':2: there is no end',
  ],
  ['with more after its end', '{"entries": [\n]}\n{}\n', ':3: there is text after the end'],
  [
    'with another member',
    '{"entries": [], "tokens": []}',
    ':1: there is "tokens", which means nothing',
  ],
  ['that is a list', '[]', ':1: there is no object with "entries"'],
  ['that is nothing', '', ':1:1: no value can be read here'],
])('a file %s is refused as a whole', async (_, text, why) => {
  const { code, err } = await to.steeple('import', [write('bad.json', text)])
  expect([code, err]).toEqual([1, expect.stringContaining(why)])
})

test('a file that is not there, and a place that cannot be written, are said', async () => {
  expect((await to.steeple('import', [path('none.json')])).err).toBe(
    `Error: open ${path('none.json')}: no such file or directory\n`,
  )
  const { code, err } = await to.steeple('export', [path('no/such/place.json')])
  expect([code, err]).toEqual([1, expect.stringMatching(/^Error: cannot write .*ENOENT/)])
})
