/** What commands make of answers that no server of ours gives; the texts are those of spire-server 1.15.3. */
import { expect, test } from 'vitest'
import { run } from '../run.ts'
import { openScriptedServer, type Script } from '../scripted-server.ts'

async function at(script: Script, line: string, input = '') {
  await using server = await openScriptedServer(script)
  const words = `server ${line} -socketPath ${server.path}`
  return { ...(await run(words, { input })), asked: server.asked }
}

const id = (path: string) => ({ trust_domain: 'example.org', path })
const AGENT = {
  id: id('/spire/agent/a'),
  attestation_type: 'x509pop',
  x509svid_serial_number: '12',
  selectors: [
    { type: 'x', value: 'y' },
    { type: 'x', value: 'z' },
  ],
  can_reattest: true,
  agent_version: 'v',
}

test('a server that does not serve is unhealthy', async () => {
  const script = { answers: { Check: { status: 'NOT_SERVING' } } }
  expect(await at(script, 'healthcheck -verbose')).toMatchObject({
    code: 1,
    out: 'Checking server health...\n',
    err: 'Error: server is unhealthy: server returned status "NOT_SERVING"\n',
  })
})

test('healthcheck -verbose tells why it could not be asked', async () => {
  const script = { refusals: { Check: { code: 13, details: 'boom' } } }
  expect(await at(script, 'healthcheck -verbose')).toMatchObject({
    code: 1,
    err: 'Failed to check health: rpc error: code = Internal desc = boom\nError: server is unhealthy: unable to determine health\n',
  })
})

test('agent show prints the selectors of the agent', async () => {
  const { out } = await at(
    { answers: { GetAgent: AGENT } },
    'agent show -spiffeID spiffe://example.org/spire/agent/a',
  )
  expect(out).toMatch(
    /^Found an attested agent given its SPIFFE ID\n\nSPIFFE ID {9}: spiffe:\/\/example\.org\/spire\/agent\/a\nAttestation type {2}: x509pop\nExpiration time {3}: 1970-01-01 .*\nSerial number {5}: 12\nCan re-attest {5}: true\nAgent version {5}: v\n\nSelectors {9}: x:y\nSelectors {9}: x:z\n$/,
  )
})

test('agent list reads every page and asks for what the flags say', async () => {
  const line =
    'agent list -banned true -canReattest false -attestationType x -selector a:b -selector c:d -matchSelectorsOn any'
  const { out, asked } = await at({ answers: { ListAgents: { agents: [AGENT, AGENT] } } }, line)
  expect(out).toContain('Found 2 attested agents:\n')
  expect(asked[0]?.request).toMatchObject({
    page_size: 1000,
    filter: {
      by_attestation_type: 'x',
      by_selector_match: {
        selectors: [
          { type: 'a', value: 'b' },
          { type: 'c', value: 'd' },
        ],
        match: 'MATCH_ANY',
      },
      by_banned: { value: true },
      by_can_reattest: { value: false },
      by_expires_before: '',
    },
  })
})

test('a filter that was given neither true nor false filters nothing', async () => {
  const { asked } = await at(
    { answers: { CountAgents: { count: 7 } } },
    'agent count -banned maybe',
  )
  expect(asked[0]?.request.filter).toMatchObject({ by_banned: null, by_can_reattest: null })
})

const THREE = {
  entries: ['1', '2', '3'].map((name) => ({
    selectors: [{ type: 'a', value: 'b' }],
    spiffe_id: `spiffe://example.org/${name}`,
    parent_id: 'spiffe://example.org/p',
  })),
}
const block = (entryId: string, name: string, ...more: readonly string[]) =>
  `${[
    `Entry ID                : ${entryId}`,
    `SPIFFE ID               : spiffe://example.org/${name}`,
    'Parent ID               : spiffe://example.org/p',
    'Revision                : 0',
    'X509-SVID TTL           : default',
    'JWT-SVID TTL            : default',
    ...more,
  ].join('\n')}\n\n`

const RESULTS = {
  results: [
    { status: { code: 13, message: 'boom "x"\nline\u0001é' } },
    { status: { code: 99, message: 'odd' }, entry: { id: 'ignored' } },
    { status: {}, entry: { id: 'srv', spiffe_id: id('/srv'), parent_id: id('/p') } },
  ],
}

test('entry create shows the entry that was asked for where the server shows another or none', async () => {
  const ran = await at(
    { answers: { BatchCreateEntry: RESULTS } },
    'entry create -data -',
    JSON.stringify(THREE),
  )
  expect(ran).toMatchObject({
    code: 1,
    out: block('srv', 'srv'),
    err: [
      'Failed to create the following entry (code: Internal, msg: "boom \\"x\\"\\nline\\x01é"):\n',
      block('(none)', '1', 'Selector                : a:b'),
      'Failed to create the following entry (code: Code(99), msg: "odd"):\n',
      block('(none)', '2', 'Selector                : a:b'),
      'Error: failed to create one or more entries\n',
    ].join(''),
  })
})

test('entry show prints an entry without IDs', async () => {
  expect(await at({ answers: { GetEntry: { id: 'n' } } }, 'entry show -entryID n')).toMatchObject({
    code: 0,
    out: 'Found 1 entry\nEntry ID                : n\nSPIFFE ID               : \nParent ID               : \nRevision                : 0\nX509-SVID TTL           : default\nJWT-SVID TTL            : default\n\n',
  })
})

test('entry show asks for what the flags say, and for nothing that they do not say', async () => {
  const { asked } = await at(
    { answers: { ListEntries: {} } },
    'entry show -selector a:b -federatesWith td -matchFederatesWithOn exact -hint h',
  )
  expect(asked[0]?.request).toMatchObject({
    page_size: 500,
    filter: {
      by_spiffe_id: null,
      by_parent_id: null,
      by_selectors: { match: 'MATCH_SUPERSET', selectors: [{ type: 'a', value: 'b' }] },
      by_federates_with: { match: 'MATCH_EXACT', trust_domains: ['td'] },
      by_hint: { value: 'h' },
      by_downstream: null,
    },
  })
})

test('entry delete tells each result of a mixed batch', async () => {
  const results = [
    { status: { code: 13, message: 'boom' }, id: 'a' },
    { status: { code: 0, message: 'OK' }, id: 'b' },
    { status: { code: 0 }, id: 'd' },
  ]
  expect(
    await at({ answers: { BatchDeleteEntry: { results } } }, 'entry delete -entryID x'),
  ).toMatchObject({
    code: 1,
    out: 'Deleted entry with ID: b\nDeleted entry with ID: d\n\n\n\n\nDeleted 2 entries successfully, but failed to delete 1 entries\n',
    err: 'Failed to delete entry with ID a (code: Internal, msg: "boom")\nError: failed to delete one or more entries\n',
  })
})

test.for([
  [
    'x509 mint -spiffeID spiffe://example.org/x',
    'MintX509SVID',
    'server response missing SVID chain',
  ],
  [
    'jwt mint -spiffeID spiffe://example.org/x -audience a',
    'MintJWTSVID',
    'server response missing token',
  ],
] as const)('"%s" refuses an empty answer', async ([line, method, why]) => {
  const { code, out, err } = await at({ answers: { [method]: {} } }, line)
  expect([code, out, err]).toEqual([1, '', `Error: ${why}\n`])
})

test('mint commands ask for whole seconds, rounded up', async () => {
  const { asked } = await at(
    { answers: { MintJWTSVID: {} } },
    'jwt mint -spiffeID spiffe://example.org/x -audience b -audience a -ttl 1500ms',
  )
  expect(asked[0]?.request).toMatchObject({ ttl: 2, audience: ['b', 'a'], id: id('/x') })
})
