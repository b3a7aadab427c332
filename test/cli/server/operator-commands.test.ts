/** What else an operator does by command: health, bundle, tokens, agents, minted SVIDs. */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fromPem } from '../../../spiffe/x509/pem.ts'
import { parseX509Svid } from '../../../spiffe/x509/x509-svid.ts'
import { run } from '../run.ts'
import { failed, type Operator, openOperator, printed, settled } from './operator.ts'

let operator: Operator
const steeple: Operator['steeple'] = (...command) => operator.steeple(...command)

beforeAll(async () => {
  operator = await openOperator()
})
afterAll(async () => await operator[Symbol.asyncDispose]())

test('a server that runs is healthy', async () => {
  expect(await steeple('healthcheck')).toEqual(printed('Server is healthy.\n'))
  expect(await steeple('healthcheck -verbose')).toEqual(
    printed('Checking server health...\nServer is healthy.\n'),
  )
  const env = { SPIRE_SERVER_PRIVATE_SOCKET: operator.server.socketPath }
  expect(await run('server healthcheck -shallow', { env })).toEqual(printed('Server is healthy.\n'))
})

test('bundle show prints PEM, a SPIFFE bundle or JSON, and no other format', async () => {
  expect(await steeple('bundle show')).toEqual(printed('PEM CERTIFICATE\n'))
  const document = await steeple('bundle show -format SPIFFE')
  expect(JSON.parse(document.out).keys[0].use).toBe('x509-svid')
  const json = await steeple('bundle show -format nonsense -output json')
  expect(JSON.parse(json.out)).toMatchObject({ refresh_hint: '0', trust_domain: 'example.org' })
  expect(await steeple('bundle show -format nonsense')).toEqual(
    failed('invalid format: "nonsense"'),
  )
})

test('token generate prints the token, and warns when the agent gets no further ID', async () => {
  expect(await steeple('token generate')).toEqual(
    printed('Token: UUID\nWarning: Missing SPIFFE ID.\n'),
  )
  expect(await steeple('token generate -ttl 0x10 -output json')).toEqual(
    printed('{"expires_at":"UNIX","value":"UUID"}\n'),
  )
})

test.for([
  ['-ttl 0', 'rpc error: code = InvalidArgument desc = ttl is required, you must provide one'],
  ['-ttl 99999999999', 'invalid value for TTL: overflow converting int(99999999999) to int32'],
  ['-spiffeID not-an-id', 'scheme is missing or invalid'],
  [
    '-spiffeID spiffe://other.org/alias',
    'rpc error: code = InvalidArgument desc = invalid agent ID: "spiffe://other.org/alias" is not a member of trust domain "example.org"',
  ],
] as const)('token generate %s is refused', async ([flags, why]) => {
  expect(await steeple(`token generate ${flags}`)).toEqual(failed(why))
})

test('an agent is listed, shown, counted, banned and evicted', async () => {
  expect(await steeple('agent list')).toEqual(printed('No attested agents found\n'))
  expect(await steeple('agent count')).toEqual(printed('0 attested agents\n'))
  const { id } = await operator.server.attest()
  const AGENT = `SPIFFE ID         : ${settled(id)}\nAttestation type  : join_token\nExpiration time   : TIME\n`
  const active = `${AGENT}Serial number     : SERIAL\nCan re-attest     : false\n\n`
  const banned = `${AGENT}Banned            : true\nCan re-attest     : false\n\n`
  const SHOWN = 'Found an attested agent given its SPIFFE ID\n\n'

  expect(await steeple('agent list')).toEqual(printed(`Found 1 attested agent:\n\n${active}`))
  expect(await steeple('agent count -banned false')).toEqual(printed('1 attested agent\n'))
  expect(await steeple(`agent show -spiffeID ${id}`)).toEqual(printed(`${SHOWN}${active}`))
  const { out } = await steeple(`agent show -spiffeID ${id} -output json`)
  expect(JSON.parse(out)).toMatchObject({ attestation_type: 'join_token', banned: false })
  expect(await steeple(`agent ban -spiffeID ${id}`)).toEqual(printed('Agent banned successfully\n'))
  expect(await steeple('agent list -banned true')).toEqual(
    printed(`Found 1 attested agent:\n\n${banned}`),
  )
  expect(await steeple('agent count -banned false -output json')).toEqual(printed('{"count":0}\n'))
  expect(await steeple(`agent evict -spiffeID ${id} -output json`)).toEqual(printed('{}\n'))
  expect(await steeple(`agent evict -spiffeID ${id}`)).toEqual(
    failed('rpc error: code = NotFound desc = agent not found'),
  )
})

test.for([
  ['show', 'a SPIFFE ID is required'],
  ['ban', 'a SPIFFE ID is required'],
  ['evict', 'a SPIFFE ID is required'],
  ['show -spiffeID nonsense', 'scheme is missing or invalid'],
  [
    'show -spiffeID spiffe://example.org/workload',
    'rpc error: code = InvalidArgument desc = invalid agent ID: "spiffe://example.org/workload" is not an agent in trust domain "example.org"; path is not in the agent namespace',
  ],
  [
    'ban -spiffeID spiffe://example.org/spire/agent/join_token/nobody',
    'rpc error: code = NotFound desc = agent not found',
  ],
  [
    'list -selector ab',
    'error parsing selector "ab": selector "ab" must be formatted as type:value',
  ],
  [
    'list -selector a:',
    'rpc error: code = InvalidArgument desc = failed to parse selectors: missing selector value',
  ],
  ['count -selector a:b -matchSelectorsOn nonsense', 'unsupported match behavior'],
  [
    'list -expiresBefore whenever',
    'date is not valid: parsing time "whenever" as "2006-01-02 15:04:05 -0700 -07": cannot parse "whenever" as "2006"',
  ],
] as const)('agent %s is refused', async ([line, why]) => {
  expect(await steeple(`agent ${line}`)).toEqual(failed(why))
})

const MINT = 'x509 mint -spiffeID spiffe://example.org/minted'

test('x509 mint prints an SVID, its key and the bundle', async () => {
  expect(await steeple(MINT)).toEqual(
    printed(
      'X509-SVID:\nPEM CERTIFICATE\n\nPrivate key:\nPEM PRIVATE KEY\n\nRoot CAs:\nPEM CERTIFICATE\n\n',
    ),
  )
  const { out, err } = await steeple(`${MINT} -ttl 100h -output json`)
  expect(err).toBe('X509-SVID lifetime was capped shorter than specified ttl; expires "TIME"\n')
  expect(Object.keys(JSON.parse(out))).toEqual(['x509_svid', 'private_key', 'root_cas'])
})

test('x509 mint writes files that fit together, the key for its owner alone', async () => {
  writeFileSync(join(operator.files, 'key.pem'), 'an old file that everybody may read', {
    mode: 0o644,
  })
  expect(await steeple(`${MINT} -dns a.example.org -write`, [operator.files])).toEqual(
    printed(
      `X509-SVID written to ${operator.files}/svid.pem\nPrivate key written to ${operator.files}/key.pem\nRoot CAs written to ${operator.files}/bundle.pem\n`,
    ),
  )
  const read = (name: string) => readFileSync(join(operator.files, name), 'utf8')
  const [certificate] = fromPem('CERTIFICATE', read('svid.pem'))
  const [key] = fromPem('PRIVATE KEY', read('key.pem'))
  const svid = parseX509Svid(certificate ?? Buffer.alloc(0), key ?? Buffer.alloc(0))
  expect(svid.id).toBe('spiffe://example.org/minted')
  expect(statSync(join(operator.files, 'key.pem')).mode & 0o777).toBe(0o600)
  expect(statSync(join(operator.files, 'svid.pem')).mode & 0o777).toBe(0o644)
})

test.for([
  ['x509 mint', 'spiffeID must be specified'],
  ['x509 mint -spiffeID nonsense', 'scheme is missing or invalid'],
  [
    'x509 mint -spiffeID spiffe://other.org/minted',
    'unable to mint SVID: rpc error: code = InvalidArgument desc = CSR URI SAN is invalid: "spiffe://other.org/minted" is not a member of trust domain "example.org"',
  ],
  [
    `${MINT} -write /nonexistent`,
    'unable to write SVID: open /nonexistent/svid.pem: no such file or directory',
  ],
  ['jwt mint -audience a', 'spiffeID must be specified'],
  ['jwt mint -spiffeID spiffe://example.org/m', 'at least one audience must be specified'],
  ['jwt mint -spiffeID bad -audience a', 'scheme is missing or invalid'],
  [
    'jwt mint -spiffeID spiffe://other.org/m -audience a',
    'unable to mint SVID: rpc error: code = InvalidArgument desc = invalid SPIFFE ID: "spiffe://other.org/m" is not a member of trust domain "example.org"',
  ],
  [
    'jwt mint -spiffeID spiffe://example.org/m -audience a -write /nonexistent/x',
    'unable to write token: open /nonexistent/x: no such file or directory',
  ],
] as const)('%s is refused', async ([line, why]) => {
  expect(await steeple(line)).toEqual(failed(why))
})

test('jwt mint prints a token, or keeps it in a file for its owner alone', async () => {
  const line = 'jwt mint -spiffeID spiffe://example.org/m -audience a -audience b'
  expect(await steeple(line)).toEqual(printed('JWT\n'))
  const { out } = await steeple(`${line} -output json`)
  expect(JSON.parse(out).svid).toMatchObject({ hint: '', token: 'JWT' })
  const path = join(operator.files, 'token')
  expect(await steeple(`${line} -write`, [path])).toEqual(printed(`JWT-SVID written to ${path}\n`))
  expect(settled(readFileSync(path, 'utf8'))).toBe('JWT')
  expect(statSync(path).mode & 0o777).toBe(0o600)
})
