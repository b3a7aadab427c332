/**
 * Tokens that are no JWT-SVIDs, shown to an agent that is asked to validate them. Some are forged; some are signed by the
 * server's own key, which was taken from its disk, and say what no server would say.
 */
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { credentials, Metadata, status } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { workloadApi } from '../../../proto/load.ts'
import { generateKey, spkiOf } from '../../../spiffe/key.ts'
import { type Agent, type Server, startAgent, startServer } from '../../processes/cluster.ts'
import { until } from '../../processes/process.ts'
import { onBothKinds } from './on-both-kinds.ts'

const ID = 'spiffe://example.org/w'
const AUDIENCE = 'shop'

type Claims = Readonly<Record<string, unknown>>
interface Material {
  /** A token of the server's. */
  readonly good: string
  /** That which signed it. */
  readonly key: KeyObject
  readonly kid: string
  readonly claims: Claims
  readonly attacker: KeyObject
}

const part = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const withSignature = (text: string, key: KeyObject) =>
  `${text}.${signBytes('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
const forge = (header: unknown, claims: unknown, key: KeyObject) =>
  withSignature(`${part(header)}.${part(claims)}`, key)
const text = (claims: Claims) => JSON.stringify(claims).slice(1, -1)

/** What is wrong with a token, and the token; the third is what SPIRE does with those that it believes. */
const TOKENS: readonly (readonly [string, (m: Material) => string, 'believed'?])[] = [
  [
    'with the algorithm none',
    ({ kid, claims }) => `${part({ alg: 'none', kid })}.${part(claims)}.`,
  ],
  [
    'with the algorithm nOnE and the signature of another token',
    ({ kid, claims, good }) =>
      `${part({ alg: 'nOnE', kid })}.${part(claims)}.${good.split('.')[2]}`,
  ],
  [
    'whose MAC was made with the public key',
    ({ kid, claims, key }) => {
      const signed = `${part({ alg: 'HS256', kid })}.${part(claims)}`
      return `${signed}.${createHmac('sha256', spkiOf(key)).update(signed).digest('base64url')}`
    },
  ],
  [
    'of another key under the ID of the right one',
    ({ kid, claims, attacker }) => forge({ alg: 'ES256', kid }, claims, attacker),
  ],
  ['without a key ID', ({ claims, key }) => forge({ alg: 'ES256' }, claims, key)],
  ['with an unknown key ID', ({ claims, key }) => forge({ alg: 'ES256', kid: 'x' }, claims, key)],
  [
    'with the key of its signer in the header',
    ({ claims, attacker, kid }) => {
      const { kty, crv, x, y } = attacker.export({ format: 'jwk' })
      return forge({ alg: 'ES256', kid, jwk: { kty, crv, x, y } }, claims, attacker)
    },
  ],
  [
    'with an address of keys in the header',
    ({ claims, attacker, kid }) =>
      forge(
        { alg: 'ES256', kid, jku: 'http://127.0.0.1/keys', x5u: 'http://127.0.0.1/x' },
        claims,
        attacker,
      ),
  ],
  [
    'with a certificate in the header',
    ({ claims, attacker, kid }) =>
      forge({ alg: 'ES256', kid, x5c: [spkiOf(attacker).toString('base64')] }, claims, attacker),
  ],
  [
    'of another type',
    ({ claims, key, kid }) => forge({ alg: 'ES256', kid, typ: 'at+jwt' }, claims, key),
    'believed',
  ],
  [
    'with a header that must be understood',
    ({ claims, key, kid }) => forge({ alg: 'ES256', kid, crit: ['x'], x: 1 }, claims, key),
  ],
  [
    'for somebody else',
    ({ claims, key, kid }) => forge({ alg: 'ES256', kid }, { ...claims, aud: ['bank'] }, key),
  ],
  [
    'for nobody',
    ({ claims, key, kid }) => forge({ alg: 'ES256', kid }, { ...claims, aud: undefined }, key),
  ],
  [
    'that never expires',
    ({ claims, key, kid }) => forge({ alg: 'ES256', kid }, { ...claims, exp: undefined }, key),
  ],
  [
    'that has expired',
    ({ claims, key, kid }) => forge({ alg: 'ES256', kid }, { ...claims, exp: 1_000_000_000 }, key),
  ],
  [
    'of another trust domain',
    ({ claims, key, kid }) =>
      forge({ alg: 'ES256', kid }, { ...claims, sub: 'spiffe://other.org/w' }, key),
  ],
  [
    'without a SPIFFE ID',
    ({ claims, key, kid }) => forge({ alg: 'ES256', kid }, { ...claims, sub: 'admin' }, key),
  ],
  [
    'with two subjects',
    ({ claims, key, kid }) =>
      forge({ alg: 'ES256', kid }, `{${text(claims)},"sub":"spiffe://example.org/root"}`, key),
  ],
  [
    'with two audiences of one name',
    ({ claims, key, kid }) => forge({ alg: 'ES256', kid }, `{"aud":["bank"],${text(claims)}}`, key),
  ],
  [
    'with two algorithms',
    ({ claims, key, kid }) =>
      forge(`{"alg":"none","alg":"ES256","kid":${JSON.stringify(kid)}}`, claims, key),
  ],
  [
    'in which another token is nested',
    ({ key, kid, good }) => forge({ alg: 'ES256', kid, cty: 'JWT' }, good, key),
  ],
  ['with a fourth part', ({ good }) => `${good}.AAAA`],
  ['with its signature cut off', ({ good }) => `${good.split('.').slice(0, 2).join('.')}.`],
  [
    'in JSON instead of the compact form',
    ({ good }) => {
      const [header, payload, signature] = good.split('.')
      return JSON.stringify({ payload, protected: header, signature })
    },
  ],
]

/** The key that signed the token, among those on the server's disk. */
function keyOf(server: Server, token: string): KeyObject {
  const [header, payload, signature = ''] = token.split('.')
  const { keys } = JSON.parse(readFileSync(join(server.dir, 'keys.json'), 'utf8'))
  // Cast: as SPIRE's disk key manager writes it.
  for (const der of Object.values(keys as Readonly<Record<string, string>>)) {
    const key = createPrivateKey({ key: Buffer.from(der, 'base64'), format: 'der', type: 'pkcs8' })
    const how = { key: createPublicKey(key), dsaEncoding: 'ieee-p1363' } as const
    const bytes = Buffer.from(`${header}.${payload}`)
    if (verifyBytes('sha256', bytes, how, Buffer.from(signature, 'base64url'))) return key
  }
  throw new Error('none of the keys on the disk signed the token')
}

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
const kidOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid

async function validate(agent: Agent, svid: string): Promise<'believed' | 'refused'> {
  const Client = workloadApi()
  const client = new Client(`unix:${agent.socket}`, credentials.createInsecure())
  const metadata = new Metadata()
  metadata.set('workload.spiffe.io', 'true')
  try {
    return await new Promise((resolve, reject) =>
      client.ValidateJWTSVID({ audience: AUDIENCE, svid }, metadata, (error) => {
        if (error === null) resolve('believed')
        else if (error.code === status.INVALID_ARGUMENT) resolve('refused')
        else reject(error)
      }),
    )
  } finally {
    client.close()
  }
}

onBothKinds((kind) => {
  const stack = new AsyncDisposableStack()
  let agent: Agent
  let material: Material
  beforeAll(async () => {
    const server = stack.use(await startServer(kind))
    agent = stack.use(await startAgent(kind, server))
    const words = ['-parentID', agent.id, '-spiffeID', ID, '-selector', 'unix:uid:0']
    await server.cli(kind, 'entry', 'create', ...words)
    const minted = await server.cli(kind, 'jwt', 'mint', '-audience', AUDIENCE, '-spiffeID', ID)
    const good = minted.stdout.match(/eyJ[\w.-]+/)?.[0] ?? ''
    material = {
      ...{ good, key: keyOf(server, good), kid: kidOf(good), claims: claimsOf(good) },
      attacker: await generateKey('ec-p256'),
    }
    await until(
      'the token to be believed',
      async () => (await validate(agent, good)) === 'believed',
    )
  })
  afterAll(() => stack.disposeAsync())

  test('what the key of the server signs anew is believed, so refusals below have their own reasons', async () => {
    const { key, kid, claims } = material
    for (const typ of [undefined, 'JWT', 'JOSE']) {
      expect(await validate(agent, forge({ alg: 'ES256', kid, typ }, claims, key))).toBe('believed')
    }
  })

  test.for(TOKENS)('a token %s is refused', async ([, make, ofSpire = 'refused']) => {
    const answer = await validate(agent, make(material))
    expect(answer).toBe(kind === 'spire' ? ofSpire : 'refused')
  })
})
