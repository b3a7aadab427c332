/** `wit mint` at servers with and without WIT-SVIDs; the texts are those of spire-server 1.15.3. */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { FEATURES_VARIABLE } from '../../../../cli/program.ts'
import { startTestServer } from '../../../server/running-server.ts'
import { run } from '../../run.ts'
import { type Asked, openScriptedServer, type Script } from '../../scripted-server.ts'

const dir = mkdtempSync(join(tmpdir(), 'wit-'))
afterAll(() => rmSync(dir, { recursive: true }))

const env = { [FEATURES_VARIABLE]: 'wit-svid' }
const job = '-spiffeID spiffe://example.org/job'
const FAR = 4102444800

const SVID = {
  token: 'the.token',
  id: { trust_domain: 'example.org', path: '/job' },
  expires_at: FAR,
  issued_at: 7,
}
const minted: Script = { answers: { MintWITSVID: { svid: SVID } } }

async function at(script: Script, flags: string) {
  await using server = await openScriptedServer(script)
  const ran = await run(`server wit mint ${flags} -socketPath ${server.path}`, { env })
  return { ...ran, asked: server.asked }
}

const publicOf = (jwk: string) =>
  createPublicKey(createPrivateKey({ key: JSON.parse(jwk), format: 'jwk' }))
const askedKey = (asked: readonly Asked[]) => asked[0]?.request.public_key.toString('hex')
const spki = (jwk: string) => publicOf(jwk).export({ type: 'spki', format: 'der' }).toString('hex')

test.for([
  ['ec-p256', 'ES256', ['kty', 'crv', 'x', 'y', 'd']],
  ['ec-p384', 'ES384', ['kty', 'crv', 'x', 'y', 'd']],
  ['rsa-2048', 'PS256', ['kty', 'n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi']],
] as const)(
  'asks for a token for a fresh %s key and prints both',
  async ([type, algorithm, members]) => {
    const flags = `${job} -ttl 90s -keyType ${type} -signingAlgorithm ${algorithm}`
    const { code, out, err, asked } = await at(minted, flags)
    expect([code, err]).toEqual([0, ''])
    const [token, key = ''] = out.split('\n')
    expect(token).toBe('the.token')
    expect(Object.keys(JSON.parse(key))).toEqual(members)
    expect(askedKey(asked)).toBe(spki(key))
    expect(asked[0]?.request).toMatchObject({
      id: { trust_domain: 'example.org', path: '/job' },
      ttl: 90,
      signing_algorithm: algorithm,
    })
  },
)

test('as JSON, with the private key as a text and nothing that is empty', async () => {
  const { code, out } = await at(minted, `${job} -output json`)
  expect(code).toBe(0)
  expect(out).toMatch(/^\{"private_key":"\{\\"kty\\":\\"EC\\",\\"crv\\":\\"P-256\\",/)
  expect(JSON.parse(out).svid).toEqual(SVID)
})

test('into files that nobody else may read', async () => {
  const { code, out } = await at(minted, `${job} -write ${dir}`)
  expect(code).toBe(0)
  expect(out).toBe(`WIT-SVID written to ${dir}/token\nPrivate key written to ${dir}/key\n`)
  expect(readFileSync(join(dir, 'token'), 'utf8')).toBe('the.token')
  expect(publicOf(readFileSync(join(dir, 'key'), 'utf8')).asymmetricKeyType).toBe('ec')
  for (const name of ['token', 'key']) expect(statSync(join(dir, name)).mode & 0o777).toBe(0o600)
})

test('says when the token lives shorter than was asked for', async () => {
  const script = { answers: { MintWITSVID: { svid: { ...SVID, expires_at: 1000000000 } } } }
  const { code, err } = await at(script, `${job} -ttl 1h`)
  expect([code, err]).toEqual([
    0,
    'WIT-SVID lifetime was capped shorter than specified ttl; expires "2001-09-09T01:46:40Z"\n',
  ])
})

test.for([
  ['', 'spiffeID must be specified'],
  ['-spiffeID x', 'scheme is missing or invalid'],
  [`${job} -keyType ec-p384`, "unsupported key type 'ec-p384' for 'ES256' signing algorithm"],
  [
    `${job} -signingAlgorithm PS256`,
    "unsupported key type 'ec-p256' for signing algorithm 'PS256'",
  ],
  [`${job} -signingAlgorithm EdDSA`, 'unsupported signing algorithm: EdDSA'],
  [`${job} -keyType dsa`, "unsupported key type 'dsa' for 'ES256' signing algorithm"],
  [
    `${job} -write ${dir}/none`,
    `unable to write token: open ${dir}/none/token: no such file or directory`,
  ],
])('"wit mint %s" is refused', async ([flags = '', said]) => {
  const { code, out, err } = await at(minted, flags)
  expect([code, out, err]).toEqual([1, '', `Error: ${said}\n`])
})

test('an answer without a token is refused', async () => {
  const { code, err } = await at({ answers: { MintWITSVID: {} } }, job)
  expect([code, err]).toEqual([1, 'Error: server response missing token\n'])
})

test('a server without the feature says so', async () => {
  await using server = await startTestServer()
  const { code, out, err } = await run(`server wit mint ${job} -socketPath ${server.socketPath}`, {
    env,
  })
  expect([code, out, err]).toEqual([
    1,
    '',
    'Error: unable to mint SVID: rpc error: code = Unimplemented desc = WIT functionality is disabled\n',
  ])
})

test('whoever did not ask for the feature has no such command', async () => {
  const { code, out, err } = await run(`server wit mint ${job}`)
  expect([code, out, err.split('\n')[0]]).toEqual([
    127,
    '',
    'steeple server has no command "wit" unless SPIRE_SERVER_FFLAGS names the feature wit-svid',
  ])
})
