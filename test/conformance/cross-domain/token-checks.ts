/** Tokens across trust domains: what a federated one could sign, and each place where a token is judged. */
import { createLocalJWKSet, jwtVerify } from 'jose'
import { formatKeySet } from '../../../oidc/discovery-document.ts'
import { workloadApiSource } from '../../../oidc/key-source/workload-api.ts'
import { type Bundle, emptyBundle } from '../../../spiffe/bundle.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import { parseSpiffeId, parseTrustDomain } from '../../../spiffe/id.ts'
import { signJwtSvid } from '../../../spiffe/jwt/sign.ts'
import { generateKey, spkiOf } from '../../../spiffe/key.ts'
import { openJwtSource } from '../../../workload/jwt-source.ts'
import { fakeIdentity } from '../../fakes/identity-source.ts'
import { exampleOrg, openWorkloadEndpoint } from '../../fakes/workload-endpoint.ts'

type Key = Awaited<ReturnType<typeof generateKey>>

const AUDIENCE = 'there'
const [ownKey, partnerKey, thirdKey, retiredKey] = await Promise.all([
  generateKey('ec-p256'),
  generateKey('ec-p256'),
  generateKey('ec-p256'),
  generateKey('ec-p256'),
])

/** Key IDs are each domain's own choice: partner.org calls one of its keys as we call ours. */
const bundleOf = (trustDomain: string, keys: Readonly<Record<string, Key>>): Bundle => ({
  ...emptyBundle(parseTrustDomain(trustDomain)),
  jwtAuthorities: Object.entries(keys).map(([keyId, key]) => ({
    ...{ keyId, publicKey: spkiOf(key), expiresAt: undefined, tainted: false },
  })),
})
const own = bundleOf('example.org', { own: ownKey })
const federated = [
  bundleOf('partner.org', { partner: partnerKey, own: partnerKey, third: partnerKey }),
  bundleOf('third.org', { third: thirdKey }),
]

const sign = (trustDomain: string, key: Key, keyId: string) => {
  const issuedAt = systemClock.now()
  return signJwtSvid({
    ...{ key, keyId, audience: [AUDIENCE], issuedAt },
    id: parseSpiffeId(`spiffe://${trustDomain}/w`),
    expiresAt: new Date(issuedAt.getTime() + 300_000),
  })
}

export const ownToken = () => sign('example.org', ownKey, 'own')
export const partnerToken = () => sign('partner.org', partnerKey, 'partner')

export const TOKEN_ATTACKS: readonly (readonly [string, () => Promise<string>])[] = [
  ['a federated key for our trust domain', () => sign('example.org', partnerKey, 'partner')],
  ['a federated key that is called as ours', () => sign('example.org', partnerKey, 'own')],
  ['a federated key for a third trust domain', () => sign('third.org', partnerKey, 'partner')],
  ['a federated key called as a third one’s', () => sign('third.org', partnerKey, 'third')],
  ['a key of a third one for the federated one', () => sign('partner.org', thirdKey, 'third')],
  ['a key that the federated one has retired', () => sign('partner.org', retiredKey, 'partner')],
]

export interface TokenCheck {
  readonly place: string
  readonly believes: 'own' | 'federated'
  readonly judge: (token: string) => Promise<boolean>
}

async function openEndpoint() {
  const endpoint = await openWorkloadEndpoint({ clock: systemClock })
  const identities = [fakeIdentity('spiffe://example.org/w')]
  endpoint.source.set({ bundle: own, federatedBundles: federated, identities })
  return endpoint
}

/** Whether it succeeds; a refusal must be about the token. */
async function isTaken(work: Promise<unknown>, refusal: RegExp): Promise<boolean> {
  try {
    await work
    return true
  } catch (error) {
    if (error instanceof Error && refusal.test(error.message)) return false
    throw error
  }
}

const REFUSAL = /no JWT authority|signature is not valid|does not fit/

async function askAgent(token: string): Promise<boolean> {
  await using endpoint = await openEndpoint()
  return await isTaken(endpoint.validateJwtSvid({ audience: AUDIENCE, svid: token }), REFUSAL)
}

async function askSdk(token: string): Promise<boolean> {
  await using endpoint = await openEndpoint()
  const socket = `unix://${endpoint.path}`
  await using source = await openJwtSource({ socket, onFailure: () => {} })
  return await isTaken(source.validate(token, AUDIENCE), REFUSAL)
}

/** As a stock OpenID library, which asks nobody whose the keys are. */
async function askRelyingParty(token: string): Promise<boolean> {
  await using endpoint = await openEndpoint()
  const stop = new AbortController()
  const { promise, resolve, reject } = Promise.withResolvers<Bundle>()
  const keys = workloadApiSource(endpoint.path, exampleOrg, systemClock)
  const following = keys.follow({ bundle: resolve, failure: reject }, stop.signal)
  const document = formatKeySet(await promise, { hasUse: true })
  stop.abort()
  await following
  const keySet = createLocalJWKSet(JSON.parse(document ?? ''))
  const verifying = jwtVerify(token, keySet, { audience: AUDIENCE })
  return await isTaken(verifying, /no applicable key|signature verification failed/)
}

export const TOKEN_CHECKS: readonly TokenCheck[] = [
  { place: 'the agent, asked to validate a token', believes: 'federated', judge: askAgent },
  { place: 'a program on the SDK with a token', believes: 'federated', judge: askSdk },
  { place: 'a relying party of the OIDC provider', believes: 'own', judge: askRelyingParty },
]
