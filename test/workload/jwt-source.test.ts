import { expect, test } from 'vitest'
import type { Bundle } from '../../spiffe/bundle.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { parseSpiffeId } from '../../spiffe/id.ts'
import { signJwtSvid } from '../../spiffe/jwt/sign.ts'
import { generateKey, spkiOf } from '../../spiffe/key.ts'
import { readJwtBundles } from '../../workload/jwt-bundles.ts'
import { openJwtSource } from '../../workload/jwt-source.ts'
import { currentCa, identityOf } from '../fakes/svids.ts'
import { openWorkloadEndpoint } from '../fakes/workload-endpoint.ts'

const example = await currentCa('example.org')
const partner = await currentCa('partner.org')
const web = await identityOf(example, '/web', { hint: 'internal' })
const db = await identityOf(example, '/db')
const exampleKey = await generateKey('ec-p256')
const partnerKey = await generateKey('ec-p256')

const withKey = (bundle: Bundle, keyId: string, key: typeof exampleKey): Bundle => ({
  ...bundle,
  jwtAuthorities: [{ keyId, publicKey: spkiOf(key), expiresAt: undefined, tainted: false }],
})

const sign = (id: string, audience: readonly string[], key = exampleKey, keyId = 'k') => {
  const issuedAt = systemClock.now()
  const expiresAt = new Date(issuedAt.getTime() + 300_000)
  return signJwtSvid({ key, keyId, id: parseSpiffeId(id), audience, issuedAt, expiresAt })
}

async function open() {
  const endpoint = await openWorkloadEndpoint()
  endpoint.source.set({
    bundle: withKey(example.bundle, 'k', exampleKey),
    federatedBundles: [withKey(partner.bundle, 'p', partnerKey)],
    identities: [web, db],
  })
  endpoint.source.mint = async ({ id, hint }, audience) => ({
    token: await sign(id, audience),
    id,
    hint,
    expiresAt: systemClock.now(),
  })
  const source = await openJwtSource({ socket: `unix://${endpoint.path}`, onFailure: () => {} })
  return {
    endpoint,
    source,
    async [Symbol.asyncDispose]() {
      await source[Symbol.asyncDispose]()
      await endpoint[Symbol.asyncDispose]()
    },
  }
}

test('fetches a token of the first identity, and one that verifies', async () => {
  await using it = await open()
  const svid = await it.source.fetchJwtSvid({ audience: 'db' })
  expect(svid).toMatchObject({ id: web.id, audience: ['db'], hint: 'internal' })
  expect(await it.source.validate(svid.token, 'db')).toMatchObject({ id: web.id })
})

test('fetches a token of the wished identity, or of each', async () => {
  await using it = await open()
  expect((await it.source.fetchJwtSvid({ audience: ['a', 'b'], id: db.id })).id).toBe(db.id)
  const all = await it.source.fetchJwtSvids({ audience: 'a' })
  expect(all.map(({ id }) => id)).toEqual([web.id, db.id])
})

test.for([
  ['no audience', { audience: [] }, 'REQUEST_INVALID'],
  ['an empty audience', { audience: '' }, 'REQUEST_INVALID'],
  ['an ID that is none', { audience: 'a', id: 'web' }, 'SPIFFE_ID_INVALID'],
  ['an ID of somebody else', { audience: 'a', id: 'spiffe://example.org/x' }, 'NO_IDENTITY_ISSUED'],
  ['a signal that has fired', { audience: 'a', signal: AbortSignal.abort() }, 'CANCELED'],
] as const)('refuses to fetch with %s', async ([, wish, code]) => {
  await using it = await open()
  await expect(it.source.fetchJwtSvid(wish)).rejects.toMatchObject({ code })
})

test('refuses a token of an identity that was not asked for', async () => {
  await using it = await open()
  it.endpoint.source.mint = async ({ id, hint }, audience) => ({
    token: await sign('spiffe://example.org/evil', audience),
    id,
    hint,
    expiresAt: systemClock.now(),
  })
  await expect(it.source.fetchJwtSvid({ audience: 'a' })).rejects.toMatchObject({
    code: 'JWT_SVID_INVALID',
  })
})

test('gives up on a token that does not come', async () => {
  await using it = await open()
  it.endpoint.source.mint = () => new Promise(() => {})
  const stop = new AbortController()
  const fetching = it.source.fetchJwtSvid({ audience: 'a', signal: stop.signal })
  stop.abort()
  await expect(fetching).rejects.toMatchObject({ code: 'CANCELED' })
})

test('a server that is away is Unavailable, with the reason of the agent', async () => {
  await using it = await open()
  it.endpoint.source.mint = async () => {
    throw new IdentityError('UNAVAILABLE', 'server is away')
  }
  await expect(it.source.fetchJwtSvid({ audience: 'a' })).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: 'could not fetch JWT-SVID: server is away',
  })
})

test('validates tokens of federated trust domains, each by its own keys alone', async () => {
  await using it = await open()
  const good = await sign('spiffe://partner.org/api', ['db'], partnerKey, 'p')
  expect(await it.source.validate(good, 'db')).toMatchObject({ id: 'spiffe://partner.org/api' })
  const impostor = await sign('spiffe://example.org/web', ['db'], partnerKey, 'p')
  await expect(it.source.validate(impostor, 'db')).rejects.toMatchObject({
    code: 'JWT_SVID_INVALID',
  })
  await expect(it.source.validate(good, 'cache')).rejects.toThrow(/audience/)
  await expect(it.source.validate('x', 'db')).rejects.toMatchObject({ code: 'JWT_SVID_INVALID' })
})

test('new keys are followed', async () => {
  await using it = await open()
  const next = await generateKey('ec-p256')
  const token = await sign(web.id, ['db'], next, 'next')
  await expect(it.source.validate(token, 'db')).rejects.toThrow()
  const changed = it.source.updates()[Symbol.asyncIterator]()
  await changed.next()
  it.endpoint.source.set({ bundle: withKey(example.bundle, 'next', next) })
  await changed.next()
  expect(await it.source.validate(token, 'db')).toMatchObject({ id: web.id })
})

test.for([
  ['is no JSON', { 'spiffe://example.org': Buffer.from('x') }],
  ['has no keys', { 'spiffe://example.org': Buffer.from('{}') }],
  ['belongs to no trust domain', { 'example org': Buffer.from('{"keys":[]}') }],
] as const)('refuses a bundle that %s', ([, bundles]) => {
  expect(() => readJwtBundles({ bundles })).toThrow(IdentityError)
})
