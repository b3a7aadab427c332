/** The commands of a workload at a Workload API that says what it is told; the texts are those of spire-agent 1.15.3. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { toPkcs8 } from '../../../spiffe/key.ts'
import { toPem, toPemChain } from '../../../spiffe/x509/pem.ts'
import { type TestCa, type TestLeaf, testCa } from '../../fakes/ca.ts'
import { steeple } from '../../processes/cluster.ts'
import { start } from '../../processes/process.ts'
import { run } from '../run.ts'
import { openScriptedServer, type Script } from '../scripted-server.ts'

const files = mkdtempSync(join(tmpdir(), 'cli-svids-'))
afterAll(() => rmSync(files, { recursive: true }))

let root: TestCa
let intermediate: TestCa
let leaf: TestLeaf
let other: TestCa

beforeAll(async () => {
  root = await testCa()
  intermediate = await root.intermediate()
  leaf = await intermediate.leaf('/one')
  other = await testCa({ trustDomain: 'other.org' })
})

const svid = (hint: string) => ({
  spiffe_id: 'spiffe://example.org/one',
  x509_svid: Buffer.concat(leaf.chain),
  x509_svid_key: toPkcs8(leaf.key),
  bundle: root.certificate,
  hint,
})
const answer = () => ({
  svids: [svid(''), svid('h')],
  federated_bundles: { 'spiffe://other.org': other.certificate },
})

async function at(script: Script, line: string) {
  await using agent = await openScriptedServer(script)
  const ran = await run(`agent ${line} -socketPath ${agent.path}`)
  return { ...ran, out: ran.out.replace(/after [\d.]+m?s/, 'after DURATION'), asked: agent.asked }
}

const VALIDITY = (what: string) =>
  `${what} Valid After:\t2026-01-01 00:00:00 +0000 UTC\n${what} Valid Until:\t2026-01-02 00:00:00 +0000 UTC\n`
const AUTHORITIES = `${VALIDITY('Intermediate #1')}${VALIDITY('CA #1')}`

const FETCHED = `Received 2 svids after DURATION

SPIFFE ID:		spiffe://example.org/one
${VALIDITY('SVID')}${AUTHORITIES}${VALIDITY('[spiffe://other.org] CA #1')}
SPIFFE ID:		spiffe://example.org/one
Hint:			h
${VALIDITY('SVID')}${AUTHORITIES}${VALIDITY('[spiffe://other.org] CA #1')}
`

test.for(['api fetch', 'api fetch x509'])(
  '%s shows each SVID with what vouches for it',
  async (line) => {
    const { code, out, err, asked } = await at({ streams: { FetchX509SVID: [answer()] } }, line)
    expect([code, out, err]).toEqual([0, FETCHED, ''])
    expect(asked[0]?.headers).toMatchObject({ 'workload.spiffe.io': 'true' })
  },
)

test('api fetch x509 -output json shows the answer as it is', async () => {
  const { out } = await at(
    { streams: { FetchX509SVID: [answer()] } },
    'api fetch x509 -output json -silent',
  )
  const json = JSON.parse(out)
  expect(Object.keys(json)).toEqual(['crl', 'federated_bundles', 'svids'])
  expect(json.svids[1].hint).toBe('h')
})

test('api fetch x509 -silent -write writes files, the keys for their owner alone', async () => {
  const { out } = await at(
    { streams: { FetchX509SVID: [answer()] } },
    `api fetch x509 -silent -write ${files}`,
  )
  expect(out).toBe(
    [0, 1]
      .flatMap((n) => [
        `Writing SVID #${n} to file ${files}/svid.${n}.pem.\n`,
        `Writing key #${n} to file ${files}/svid.${n}.key.\n`,
        `Writing bundle #${n} to file ${files}/bundle.${n}.pem.\n`,
        `Writing federated bundle #0 for trust domain spiffe://other.org to file ${files}/federated_bundle.${n}.0.pem.\n`,
      ])
      .join(''),
  )
  expect(readdirSync(files)).toHaveLength(8)
  const read = (name: string) => readFileSync(join(files, name), 'utf8')
  expect(read('svid.0.pem')).toBe(toPemChain(leaf.chain))
  expect(read('svid.1.key')).toBe(toPem('PRIVATE KEY', toPkcs8(leaf.key)))
  expect(read('federated_bundle.1.0.pem')).toBe(toPem('CERTIFICATE', other.certificate))
  expect(statSync(join(files, 'svid.0.key')).mode & 0o777).toBe(0o600)
  expect(statSync(join(files, 'bundle.0.pem')).mode & 0o777).toBe(0o644)
})

test('a directory that is not there is named', async () => {
  const { code, err } = await at(
    { streams: { FetchX509SVID: [answer()] } },
    'api fetch x509 -silent -write /nonexistent',
  )
  expect([code, err]).toEqual([1, 'open /nonexistent/svid.0.pem: no such file or directory\n'])
})

test.for([
  [
    'no SVID',
    { streams: { FetchX509SVID: [{ svids: [] }] } },
    'workload response contains no svids',
  ],
  [
    'no identity',
    { refusals: { FetchX509SVID: { code: 7, details: 'no identity issued' } } },
    'rpc error: code = PermissionDenied desc = no identity issued',
  ],
  ['the end', { ends: ['FetchX509SVID'] }, 'EOF: the agent ended the stream without an answer'],
  [
    'nothing in time',
    { streams: { FetchX509SVID: [] } },
    'rpc error: code = DeadlineExceeded desc = context deadline exceeded',
  ],
] as const)('api fetch x509 tells of %s', async ([, script, why]) => {
  const { code, out, err } = await at(script, 'api fetch x509 -timeout 300ms')
  expect([code, out, err]).toEqual([1, '', `${why}\n`])
})

test('api fetch x509 refuses bytes that are no certificate, and says whose they are', async () => {
  const bad = { ...svid(''), x509_svid: Buffer.of(0) }
  const { code, out, err } = await at(
    { streams: { FetchX509SVID: [{ svids: [bad] }] } },
    'api fetch x509',
  )
  expect([code, out]).toEqual([1, ''])
  expect(err).toMatch(/^failed to parse svid entry 0 for spiffe id "spiffe:\/\/example.org\/one": /)
})

const JWT = {
  answers: {
    FetchJWTSVID: {
      svids: [
        { spiffe_id: 'spiffe://x/one', svid: 'a.b.c', hint: 'h' },
        { spiffe_id: 'spiffe://x/two', svid: 'd.e.f' },
      ],
    },
  },
  streams: {
    FetchJWTBundles: [{ bundles: { 'spiffe://x': Buffer.from('{\n    "keys": []\n}') } }],
  },
}

test('api fetch jwt shows tokens, hints and keys', async () => {
  const { code, out, err, asked } = await at(
    JWT,
    'api fetch jwt -audience a,b -spiffeID spiffe://x/one',
  )
  expect([code, err]).toEqual([0, ''])
  expect(out).toBe(
    'token(spiffe://x/one):\n\ta.b.c\nhint(spiffe://x/one):\n\th\ntoken(spiffe://x/two):\n\td.e.f\nbundle(spiffe://x):\n\t{\n    "keys": []\n}\n',
  )
  const request = asked.find(({ method }) => method === 'FetchJWTSVID')
  expect(request).toMatchObject({
    request: { audience: ['a', 'b'], spiffe_id: 'spiffe://x/one' },
    headers: { 'workload.spiffe.io': 'true' },
  })
})

test.for(['-output json', '-format json', '-format json -output json'])(
  'api fetch jwt %s shows both answers in one list',
  async (flags) => {
    const { out } = await at(JWT, `api fetch jwt -audience a ${flags}`)
    expect(out).toBe(
      `[{"svids":[{"hint":"h","spiffe_id":"spiffe://x/one","svid":"a.b.c"},{"hint":"","spiffe_id":"spiffe://x/two","svid":"d.e.f"}]},{"bundles":{"spiffe://x":"${Buffer.from('{\n    "keys": []\n}').toString('base64')}"}}]\n`,
    )
  },
)

test.for([
  ['api fetch jwt', 'audience must be specified'],
  [
    'api fetch jwt -audience a -format json -output pretty',
    'invalid value "pretty" for flag -output: the output format has already been set to "json"',
  ],
  ['api validate jwt -svid x', 'audience must be specified'],
  ['api validate jwt -audience a', 'svid must be specified'],
] as const)('%s is refused before the agent is asked', async ([line, why]) => {
  const { code, out, err, asked } = await at({}, line)
  expect([code, out, err, asked]).toEqual([1, '', `${why}\n`, []])
})

test('api fetch jwt repeats what the agent says', async () => {
  const script = { ...JWT, refusals: { FetchJWTSVID: { code: 7, details: 'no identity issued' } } }
  const { code, err } = await at(script, 'api fetch jwt -audience a')
  expect([code, err]).toEqual([1, 'rpc error: code = PermissionDenied desc = no identity issued\n'])
})

const claims = {
  fields: { sub: { stringValue: 'spiffe://x/<y>' }, exp: { numberValue: 1795259827 } },
}
const VALID = { answers: { ValidateJWTSVID: { spiffe_id: 'spiffe://x/y', claims } } }

test('api validate jwt shows the claims of a token that is valid', async () => {
  const { out } = await at(VALID, 'api validate jwt -audience a -svid t')
  expect(out).toBe(
    'SVID is valid.\nSPIFFE ID : spiffe://x/y\nClaims    : {"exp":1795259827,"sub":"spiffe://x/<y>"}\n',
  )
  const json = await at(VALID, 'api validate jwt -audience a -svid t -output json')
  expect(json.out).toBe(
    '{"claims":{"exp":1795259827,"sub":"spiffe://x/\\u003cy\\u003e"},"spiffe_id":"spiffe://x/y"}\n',
  )
})

test.for([
  [3, 'token has expired', 'SVID is not valid: token has expired'],
  [14, 'not now', 'unable to validate JWT SVID: rpc error: code = Unavailable desc = not now'],
] as const)(
  'api validate jwt tells a verdict from a failure (%i)',
  async ([code, details, said]) => {
    const script = { refusals: { ValidateJWTSVID: { code, details } } }
    const { code: ended, out, err } = await at(script, 'api validate jwt -audience a -svid t')
    expect([ended, out, err]).toEqual([1, '', `${said}\n`])
  },
)

test('an agent that does not serve is unhealthy', async () => {
  const script = { answers: { Check: { status: 'NOT_SERVING' } } }
  const { code, out, err } = await at(script, 'healthcheck -verbose')
  expect([code, out, err]).toEqual([
    1,
    'Checking agent health...\n',
    'Agent is unhealthy: agent returned status "NOT_SERVING"\n',
  ])
  const good = await at({ answers: { Check: { status: 'SERVING' } } }, 'healthcheck')
  expect([good.code, good.out]).toEqual([0, 'Agent is healthy.\n'])
})

test('api watch prints every update until it is interrupted', async () => {
  await using agent = await openScriptedServer({ streams: { FetchX509SVID: [answer()] } })
  await using watch = start(steeple, ['agent', 'api', 'watch', '-socketPath', agent.path])
  await watch.line(/^Received 2 svids after/)
  agent.send('FetchX509SVID', { ...answer(), svids: [svid('h')] })
  await watch.line(/^Received 1 svid after/)
  expect(watch.output()).toContain('[other.org] CA #1 Valid After:')
  expect(watch.output()).not.toContain('Hint:')
  watch.kill('SIGTERM')
  expect(await watch.ended).toBe('SIGTERM')
})

test('api watch says what went wrong and tries again', async () => {
  const refusals = { FetchX509SVID: { code: 7, details: 'no identity issued' } }
  await using agent = await openScriptedServer({ refusals })
  await using watch = start(steeple, ['agent', 'api', 'watch', '-socketPath', agent.path])
  await watch.line(/^rpc error: code = PermissionDenied desc = no identity issued$/)
  await expect.poll(() => agent.asked.length, { timeout: 5_000 }).toBeGreaterThan(1)
})
