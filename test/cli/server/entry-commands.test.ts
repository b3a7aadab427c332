/** Registration entries by command, in the order of one story: created, shown, replaced, deleted. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { failed, type Operator, openOperator, printed } from './operator.ts'

let operator: Operator
const steeple: Operator['steeple'] = (...command) => operator.steeple(...command)

beforeAll(async () => {
  operator = await openOperator()
})
afterAll(async () => await operator[Symbol.asyncDispose]())

const P = '-parentID spiffe://example.org/parent'
const X = `${P} -spiffeID spiffe://example.org/x -selector unix:uid:9`

const block = (id: string, spiffeId: string, lines: readonly string[], revision = 0) =>
  `${[
    `Entry ID                : ${id}`,
    `SPIFFE ID               : spiffe://example.org/${spiffeId}`,
    'Parent ID               : spiffe://example.org/parent',
    `Revision                : ${revision}`,
    ...lines,
  ].join('\n')}\n\n`
const TTLS = ['X509-SVID TTL           : default', 'JWT-SVID TTL            : default']
const ONE = block('e1', 'one', [...TTLS, 'Selector                : unix:uid:0'])

test('entry create prints what was made of it', async () => {
  const line = `entry create -entryID e1 ${P} -spiffeID spiffe://example.org/one`
  expect(await steeple(`${line} -selector unix:uid:0`)).toEqual(printed(ONE))
  expect(await steeple(`entry create -entryID e3 ${X} -output json`)).toEqual(
    printed(
      '{"results":[{"entry":{"admin":false,"created_at":"UNIX","dns_names":[],"downstream":false,"expires_at":"0","federates_with":[],"hint":"","id":"e3","jwt_svid_ttl":0,"parent_id":{"path":"/parent","trust_domain":"example.org"},"revision_number":"0","selectors":[{"type":"unix","value":"uid:9"}],"spiffe_id":{"path":"/x","trust_domain":"example.org"},"store_svid":false,"x509_svid_ttl":0},"status":{"code":0,"message":"OK"}}]}\n',
    ),
  )
})

const TWO_LINES = [
  'Downstream              : true',
  'X509-SVID TTL           : 300',
  'JWT-SVID TTL            : 60',
  'Expiration time         : TIME',
  'Selector                : unix:gid:2',
  'Selector                : unix:uid:2',
  'DNS name                : two.example.org',
  'Admin                   : true',
  'Hint                    : two',
  'JwtSvidIncludeJti       : true',
]

test('entry create takes every field', async () => {
  const line = `entry create -entryID e2 ${P} -spiffeID spiffe://example.org/two -selector unix:uid:2 -selector unix:gid:2 -x509SVIDTTL 300 -jwtSVIDTTL 60 -admin -downstream -dns two.example.org -entryExpiry 4102444800 -hint two -jwtSVIDIncludeJTI`
  expect(await steeple(line)).toEqual(printed(block('e2', 'two', TWO_LINES)))
})

test('entry create -node makes the server the parent, whatever else is said', async () => {
  const line = `entry create -node -entryID n ${P} -spiffeID spiffe://example.org/n -selector x:y`
  const { code, out } = await steeple(line)
  expect([code, out]).toEqual([
    0,
    expect.stringContaining('Parent ID               : spiffe://example.org/spire/server\n'),
  ])
})

test('entry create shows an entry that was refused, on standard error', async () => {
  const line = `entry create -entryID other ${P} -spiffeID spiffe://example.org/one`
  expect(await steeple(`${line} -selector unix:uid:0`)).toEqual({
    code: 1,
    out: '',
    err: `Failed to create the following entry (code: AlreadyExists, msg: "similar entry already exists"):\n${ONE.replace('e1', 'other')}Error: failed to create one or more entries\n`,
  })
})

test('entry create -output json shows a refusal and ends with 0, as SPIRE does', async () => {
  const { code, out, err } = await steeple(
    `entry create ${X} -hint ${'h'.repeat(1025)} -output json`,
  )
  expect([code, err]).toEqual([0, ''])
  expect(JSON.parse(out).results[0]).toMatchObject({
    entry: { hint: 'h'.repeat(1025) },
    status: { code: 3 },
  })
})

test.for([
  ['', 'at least one selector is required'],
  [`${P} -spiffeID spiffe://example.org/x`, 'at least one selector is required'],
  [
    '-spiffeID spiffe://example.org/x -selector a:b',
    'a parent ID is required if the node flag is not set',
  ],
  [`${P} -selector a:b`, 'a SPIFFE ID is required'],
  ['-node -selector a:b', 'a SPIFFE ID is required'],
  [
    `${P} -spiffeID spiffe://example.org/x -selector nocolon`,
    'selector "nocolon" must be formatted as type:value',
  ],
  [`${P} -spiffeID nope -selector a:b`, 'scheme is missing or invalid'],
  ['-parentID nope -spiffeID nope2 -selector ab', 'scheme is missing or invalid'],
  [`${X} -x509SVIDTTL -1`, 'a positive x509-SVID TTL is required'],
  [`${X} -jwtSVIDTTL -1`, 'a positive JWT-SVID TTL is required'],
  [
    `${X} -x509SVIDTTL 9999999999`,
    'invalid value for X509 SVID TTL: overflow converting int(9999999999) to int32',
  ],
  [
    `${X} -jwtSVIDTTL 9999999999`,
    'invalid value for JWT SVID TTL: overflow converting int(9999999999) to int32',
  ],
  ['-data /nonexistent/e.json', 'open /nonexistent/e.json: no such file or directory'],
] as const)('entry create %s is refused before the server is asked', async ([flags, why]) => {
  expect(await steeple(`entry create ${flags}`)).toEqual(failed(why))
})

const document = {
  entries: [
    {
      entry_id: 'from-file',
      spiffe_id: 'spiffe://example.org/file/1',
      parent_id: 'spiffe://example.org/parent',
      selectors: [{ type: 'unix', value: 'uid:1' }],
      x509_svid_ttl: 300,
      hint: 'file',
      colour: 'red',
    },
    {
      spiffe_id: 'spiffe://example.org/file/bad',
      parent_id: 'spiffe://example.org/parent',
      selectors: [],
    },
  ],
}
const FROM_FILE = [
  'X509-SVID TTL           : 300',
  'JWT-SVID TTL            : default',
  'Selector                : unix:uid:1',
  'Hint                    : file',
]

test('entry create -data - reads standard input and tells the good from the bad', async () => {
  const ran = await steeple('entry create -data -', [], { input: JSON.stringify(document) })
  expect(ran).toEqual({
    code: 1,
    out: block('from-file', 'file/1', FROM_FILE),
    err: `Warning: entries[0].colour means nothing and is ignored\nFailed to create the following entry (code: InvalidArgument, msg: "failed to convert entry: selector list is empty"):\n${block('(none)', 'file/bad', TTLS)}Error: failed to create one or more entries\n`,
  })
})

test.for([
  ['{"entries": [', 'unexpected end of JSON input'],
  ['', 'unexpected end of JSON input'],
  ['{"entries": "', 'unexpected end of JSON input'],
] as const)('entry create refuses the cut-off document %j', async ([text, why]) => {
  const path = join(operator.files, 'cut.json')
  writeFileSync(path, text)
  expect(await steeple('entry create -data', [path])).toEqual(failed(why))
})

test('a document that is no JSON is refused with the place', async () => {
  const { err } = await steeple('entry create -data -', [], { input: '{"entries": [}]}' })
  expect(err).toBe(
    'Error: standard input:1:14: no value can be read here (expected a JSON value)\n',
  )
})

test('entry show lists entries in order, and one by its ID', async () => {
  const { out } = await steeple('entry show')
  expect(out).toContain('Found 5 entries\n')
  expect([...out.matchAll(/^Entry ID +: (.*)$/gm)].map(([, id]) => id)).toEqual([
    'from-file',
    'n',
    'e1',
    'e2',
    'e3',
  ])
  expect(await steeple('entry show -entryID e1')).toEqual(printed(`Found 1 entry\n${ONE}`))
  expect(await steeple('entry show -entryID e1 -hint whatever')).toEqual(
    printed(`Found 1 entry\n${ONE}`),
  )
})

test.for([
  ['-spiffeID spiffe://example.org/nobody', []],
  ['-spiffeID spiffe://example.org/one', ['e1']],
  ['-parentID spiffe://example.org/spire/server', ['n']],
  ['-selector unix:uid:2', ['e2']],
  ['-selector unix:uid:2 -selector unix:gid:2 -matchSelectorsOn exact', ['e2']],
  ['-selector unix:uid:2 -selector q:r -matchSelectorsOn subset', []],
  ['-selector unix:uid:2 -selector unix:uid:0 -matchSelectorsOn any', ['e1', 'e2']],
  ['-downstream', ['e2']],
  ['-hint two', ['e2']],
  ['-federatesWith spiffe://unknown.org', []],
] as const)('entry show %s finds %j, entry count as many', async ([flags, ids]) => {
  const { out } = await steeple(`entry show ${flags} -output json`)
  expect(JSON.parse(out).entries.map(({ id }: { id: string }) => id)).toEqual(ids)
  const noun = ids.length === 1 ? 'registration entry' : 'registration entries'
  expect(await steeple(`entry count ${flags}`)).toEqual(printed(`${ids.length} ${noun}\n`))
  expect(await steeple(`entry count ${flags} -output json`)).toEqual(
    printed(`{"count":${ids.length}}\n`),
  )
})

test.for([
  ['show -entryID e1 -spiffeID spiffe://a/b', "the -entryID flag can't be combined with others"],
  ['show -entryID e1 -selector a:b', "the -entryID flag can't be combined with others"],
  [
    'show -entryID nobody',
    'error fetching entry ID nobody: rpc error: code = NotFound desc = entry not found',
  ],
  ['show -parentID bad', 'error parsing parent ID "bad": scheme is missing or invalid'],
  ['count -spiffeID bad', 'error parsing SPIFFE ID "bad": scheme is missing or invalid'],
  ['show -selector bad', 'error parsing selectors: selector "bad" must be formatted as type:value'],
  ['show -selector a:b -matchSelectorsOn nonsense', 'match behavior "nonsense" unknown'],
  ['count -federatesWith a -matchFederatesWithOn nonsense', 'match behavior "nonsense" unknown'],
] as const)('entry %s is refused', async ([line, why]) => {
  expect(await steeple(`entry ${line}`)).toEqual(failed(why))
})

test('entry update replaces an entry', async () => {
  const line = `entry update -entryID e1 ${P} -spiffeID spiffe://example.org/uno -selector unix:uid:0`
  expect(await steeple(line)).toEqual(
    printed(block('e1', 'uno', [...TTLS, 'Selector                : unix:uid:0'], 1)),
  )
  const { out } = await steeple(`entry update -entryID e3 ${X} -hint new -output json`)
  expect(JSON.parse(out).results[0].entry).toMatchObject({ hint: 'new', revision_number: '1' })
})

test('entry update keeps the one attribute when the other is named', async () => {
  const on = await steeple(`entry update -entryID e3 ${X} -disableX509SVIDPrefetch`)
  expect(on.out).toContain('DisableX509SvidPrefetch : true\n')
  const both = await steeple(`entry update -entryID e3 ${X} -jwtSVIDIncludeJTI`)
  expect(both.out).toContain('DisableX509SvidPrefetch : true\nJwtSvidIncludeJti       : true\n')
  const off = await steeple(`entry update -entryID e3 ${X} -disableX509SVIDPrefetch=false`)
  expect(off.out).not.toContain('DisableX509SvidPrefetch')
  expect(off.out).toContain('JwtSvidIncludeJti       : true\n')
})

test.for([
  ['', 'entry ID is required'],
  ['-entryID x', 'at least one selector is required'],
  ['-entryID x -selector a:b', 'a parent ID is required'],
  ['-entryID x -selector a:b -parentID p', 'a SPIFFE ID is required'],
  ['-entryID x -selector a:b -parentID p -spiffeID s', 'scheme is missing or invalid'],
  [
    `-entryID nobody ${X} -jwtSVIDIncludeJTI`,
    'failed to fetch existing entry to merge additional attributes: rpc error: code = NotFound desc = entry not found',
  ],
] as const)('entry update %s is refused', async ([flags, why]) => {
  expect(await steeple(`entry update ${flags}`)).toEqual(failed(why))
})

test('entry update shows an entry that there is not, on standard error', async () => {
  const { code, out, err } = await steeple(`entry update -entryID nobody ${X}`)
  expect([code, out]).toEqual([1, ''])
  expect(err).toContain(
    'Failed to update the following entry (code: NotFound, msg: "failed to update entry',
  )
  expect(err).toMatch(/Error: failed to update one or more entries\n$/)
})

test('entry delete tells each ID apart', async () => {
  expect(await steeple('entry delete -entryID e3')).toEqual(
    printed('Deleted entry with ID: e3\n\n\nDeleted 1 entries successfully\n'),
  )
  expect(await steeple('entry delete -entryID e3')).toEqual({
    code: 1,
    out: '\n\nFailed to delete 1 entries\n',
    err: 'Failed to delete entry with ID e3 (code: NotFound, msg: "entry not found")\nError: failed to delete one or more entries\n',
  })
  const input = '{"ids": ["e2", "nobody"]}'
  expect(await steeple('entry delete -file -', [], { input })).toEqual({
    code: 1,
    out: 'Deleted entry with ID: e2\n\n\n\n\nDeleted 1 entries successfully, but failed to delete 1 entries\n',
    err: 'Failed to delete entry with ID nobody (code: NotFound, msg: "entry not found")\nError: failed to delete one or more entries\n',
  })
  expect(await steeple('entry delete -entryID e1 -output json')).toEqual(
    printed('{"results":[{"id":"e1","status":{"code":0,"message":"OK"}}]}\n'),
  )
  expect(await steeple('entry delete')).toEqual(failed('an entry ID is required'))
})
