/** The Istio CA of a whole server, over its real port: what each request gets, and what the administrator is told of it. */
import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { IstioCertificateRequestInput } from '../../../proto/gen/istio/v1/auth/IstioCertificateRequest.ts'
import { generateKey } from '../../../spiffe/key.ts'
import { createCsr } from '../../../spiffe/x509/csr.ts'
import { encodeName } from '../../../spiffe/x509/name.ts'
import { toPem } from '../../../spiffe/x509/pem.ts'
import { type MeshServer, startMeshServer } from './mesh-server.ts'

const CART = 'spiffe://example.org/ns/shop/sa/cart'
const AUTHENTICATION = 'UNAUTHENTICATED request authenticate failure'
const IMPERSONATION = 'UNAUTHENTICATED request impersonation authentication failure'

let mesh: MeshServer
let csr: string
beforeAll(async () => {
  mesh = await startMeshServer()
  const key = await generateKey('ec-p256')
  csr = toPem('CERTIFICATE REQUEST', createCsr({ key, uriSans: [CART], subject: encodeName({}) }))
})
afterAll(() => mesh?.[Symbol.asyncDispose]())

const bearer = (token: string) => [['authorization', `Bearer ${token}`]] as const
const impersonating = (identity: string): IstioCertificateRequestInput => ({
  metadata: { fields: { ImpersonatedIdentity: { stringValue: identity } } },
})
const lastRefusal = async () => (await mesh.status()).istio_ca?.tally?.last_refusals[0]

test('a service account gets its own identity, and the roots in the last element', async () => {
  const { chain, refusal } = await mesh.ask({ csr }, bearer('cart-token'))
  expect(refusal).toBe('')
  const [leaf = '', roots = '', ...more] = chain
  expect(more).toEqual([])
  const [certificate, root] = [new X509Certificate(leaf), new X509Certificate(roots)]
  expect(certificate.subjectAltName).toBe(`URI:${CART}`)
  expect(certificate.verify(root.publicKey)).toBe(true)
  const [issued] = (await mesh.status()).istio_ca?.tally?.last_issued ?? []
  expect(issued).toMatchObject({ identity: CART, account: 'shop/cart' })
})

test('a life is cut to the longest; none asked for is the default', async () => {
  const lifeOf = async (validity_duration: number) => {
    const { chain } = await mesh.ask({ csr, validity_duration }, bearer('cart-token'))
    const { validFromDate, validToDate } = new X509Certificate(chain[0] ?? '')
    return (validToDate.getTime() - validFromDate.getTime()) / 1000 - 10
  }
  expect(await lifeOf(0)).toBe(3_600)
  expect(await lifeOf(600)).toBe(600)
  expect(await lifeOf(86_400)).toBe(7_200)
})

test.for([
  ['no token', [], 'token', /authorization is missing/],
  ['a token of another kind', [['authorization', 'Basic abc']], 'token', /is not "Bearer <token>"/],
  [
    'who names two clusters',
    [...bearer('cart-token'), ['clusterid', 'Kubernetes'], ['clusterid', 'moon']],
    'cluster',
    /more than one header clusterid|"Kubernetes, moon"/,
  ],
  ['a made-up token', bearer('nonsense'), 'token', /does not know the token/],
  ['an expired token', bearer('expired-token'), 'token', /token has expired/],
  ['a token for others', bearer('audience-token'), 'token', /for none of the audiences/],
  ['a person', bearer('person-token'), 'account', /is of "jane"/],
  ['a node', bearer('node-token'), 'account', /is of "system:node:node1"/],
  ['a name of five parts', bearer('five-part-token'), 'account', /expected system:serviceaccount/],
  ['who is not in the group', bearer('outsider-token'), 'account', /not in the group/],
  [
    'a name that no account has',
    bearer('odd-token'),
    'account',
    /not the name of a service account/,
  ],
  [
    'an unknown cluster',
    [...bearer('cart-token'), ['clusterid', 'moon']],
    'cluster',
    /"moon", which is none of: Kubernetes/,
  ],
] as const)(
  '%s is nobody, and the reason is for the administrator',
  async ([, headers, check, why]) => {
    expect((await mesh.ask({ csr }, headers)).refusal).toBe(AUTHENTICATION)
    expect(await lastRefusal()).toMatchObject({ check, reason: expect.stringMatching(why) })
  },
)

test.for([
  ['another trust domain', 'ztunnel-token', 'spiffe://other.org/ns/shop/sa/cart', 'identity'],
  ['another form', 'ztunnel-token', 'spiffe://example.org/shop/cart', 'identity'],
  ['no ID at all', 'ztunnel-token', 'cart', 'identity'],
  ['an untrusted caller', 'cart-token', CART, 'node-account'],
  ['a token of two pods', 'two-pods-token', CART, 'node'],
] as const)('%s is not impersonated', async ([, token, identity, check]) => {
  const { refusal } = await mesh.ask({ csr, ...impersonating(identity) }, bearer(token))
  expect(refusal).toBe(IMPERSONATION)
  expect(await lastRefusal()).toMatchObject({ check })
})

test('a ztunnel gets what is on its node and nothing of another', async () => {
  const ask = (token: string, identity: string) =>
    mesh.ask({ csr, ...impersonating(identity) }, bearer(token))
  expect((await ask('ztunnel-token', CART)).chain).toHaveLength(2)
  const far = 'spiffe://example.org/ns/shop/sa/far'
  const [elsewhere, replaced] = await Promise.all([
    ask('ztunnel-token', far),
    ask('replaced-token', CART),
  ])
  expect([elsewhere.refusal, replaced.refusal]).toEqual([IMPERSONATION, IMPERSONATION])
  const reasons = (await mesh.status()).istio_ca?.tally?.last_refusals.map(({ reason }) => reason)
  expect(reasons?.join('\n')).toMatch(/no pod of shop\/far is on node node1/)
  expect(reasons?.join('\n')).toMatch(/but the token is of the one with UID uid-of-before/)
})

test('what is wrong with a request itself is told to the caller', async () => {
  const key = await generateKey('ec-p256')
  const other = createCsr({ key, uriSans: ['spiffe://example.org/ns/shop/sa/admin'] })
  for (const [request, answer] of [
    [{ csr: '' }, /^INVALID_ARGUMENT CSR signing error \(malformed PEM/],
    [{ csr: 'hello' }, /^INVALID_ARGUMENT CSR signing error \(malformed PEM/],
    [{ csr: csr + csr }, /^INVALID_ARGUMENT CSR signing error \(expected one CSR/],
    [{ csr: csr.slice(0, -40) }, /^INVALID_ARGUMENT CSR signing error \(malformed PEM/],
    [{ csr: `${csr}${'x'.repeat(30_000)}` }, /^INVALID_ARGUMENT .*expected at most 24576/],
    [{ csr: 'x'.repeat(100_000) }, /^RESOURCE_EXHAUSTED/],
    [
      { csr: toPem('CERTIFICATE REQUEST', other) },
      /^INVALID_ARGUMENT CSR signing error \(the CSR asks for .*admin/,
    ],
    [{ csr, validity_duration: -1 }, /^INVALID_ARGUMENT validity_duration is -1 s/],
    [{ csr, validity_duration: 2 ** 40 }, /^INVALID_ARGUMENT validity_duration/],
    [
      { csr, metadata: { fields: { CertSigner: { stringValue: 'x' } } } },
      /^INVALID_ARGUMENT there is no cert signer "x"/,
    ],
    [
      { csr, metadata: { fields: { ImpersonatedIdentity: { boolValue: true } } } },
      /^INVALID_ARGUMENT ImpersonatedIdentity .* not a string/,
    ],
  ] as const) {
    expect((await mesh.ask(request, bearer('cart-token'))).refusal).toMatch(answer)
  }
})

test('an API server that does not tell is no refusal, so that clients ask again', async () => {
  const { refusal } = await mesh.ask({ csr }, bearer('forbidden-token'))
  expect(refusal).toBe('UNAVAILABLE cannot authenticate requests now')
  expect(await lastRefusal()).toMatchObject({
    check: 'token',
    reason: expect.stringMatching(/403/),
  })
})

test('of one address only so many requests are under way; the next is refused at once', async () => {
  const held = Array.from({ length: 65 }, () => mesh.ask({ csr }, bearer('held-token')))
  const first = await Promise.race(held)
  expect(first.refusal).toMatch(/^RESOURCE_EXHAUSTED more than 64 of this address/)
  expect(await lastRefusal()).toMatchObject({ check: 'rate' })
  const { api } = mesh
  const waiting = () => api.asked.filter(({ body }) => body.includes('held-token')).length
  await expect.poll(waiting).toBe(64)
  api.breakOff()
  const others = (await Promise.all(held)).filter((one) => one !== first)
  expect(others.map(({ refusal }) => refusal)).toEqual(
    others.map(() => 'UNAVAILABLE cannot authenticate requests now'),
  )
  expect((await mesh.ask({ csr }, bearer('cart-token'))).refusal).toBe('')
})

test('every call has its line in the log and the audit log, and no line has a token', async () => {
  await mesh.ask({ csr }, bearer('cart-token'))
  const { lines } = mesh.server
  const text = JSON.stringify(lines)
  expect(lines.some(({ msg }) => msg === 'Certificate issued')).toBe(true)
  const audit = lines.filter((line) => line.type === 'audit' && line.requested_identity === CART)
  expect(audit.at(-1)).toMatchObject({ status: 'success', service_account: 'shop/cart' })
  for (const token of ['cart-token', 'ztunnel-token', 'nonsense', 'Bearer']) {
    expect(text.replaceAll('Bearer <token>', '').replaceAll('\\"Bearer', '')).not.toContain(token)
  }
})
