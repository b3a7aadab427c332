import { X509Certificate } from 'node:crypto'
import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { NewDownstreamX509CAResponse } from '../../../../proto/gen/spire/api/server/svid/v1/NewDownstreamX509CAResponse.ts'
import type { Bundle } from '../../../../proto/gen/spire/api/types/Bundle.ts'
import { fromWireBundle } from '../../../../proto/wire.ts'
import { systemClock } from '../../../../spiffe/clock.ts'
import { parseSpiffeId } from '../../../../spiffe/id.ts'
import { generateKey, spkiOf } from '../../../../spiffe/key.ts'
import { createCsr } from '../../../../spiffe/x509/csr.ts'
import { leafSigner } from '../../../../spiffe/x509/issue-leaf.ts'
import { verifyX509Svid } from '../../../../spiffe/x509/verify.ts'
import {
  type Clients,
  call,
  connectAs,
  startTestServer,
  type TestServer,
} from '../../running-server.ts'

let server: TestServer
let nested: Clients
const key = await generateKey('ec-p256')

const newCa = ({ svid }: Clients, csr: Buffer = createCsr({ key }), preferred_ttl = 0) =>
  call<NewDownstreamX509CAResponse>((done) =>
    svid.NewDownstreamX509CA({ csr, preferred_ttl }, done),
  )

beforeAll(async () => {
  server = await startTestServer()
  const entry = {
    spiffe_id: { trust_domain: 'example.org', path: '/nested' },
    parent_id: { trust_domain: 'example.org', path: '/n' },
    selectors: [{ type: 'unix', value: 'uid:1' }],
    downstream: true,
  }
  await call((done) => server.admin.entry.BatchCreateEntry({ entries: [entry] }, done))
  nested = await connectAs(server, 'spiffe://example.org/nested')
  // The entry counts as soon as the index has it.
  await vi.waitFor(() => newCa(nested))
})
afterAll(() => server[Symbol.asyncDispose]())

const bundle = async () =>
  fromWireBundle(await call<Bundle>((done) => server.admin.bundle.GetBundle({}, done)))

const lifeSeconds = ({ validFromDate, validToDate }: X509Certificate) =>
  (validToDate.getTime() - validFromDate.getTime()) / 1000

test('a downstream server gets a CA for its key that says how far down it is', async () => {
  const { ca_cert_chain, x509_authorities } = await newCa(nested)
  const { x509Authorities } = await bundle()
  expect(x509_authorities).toEqual(x509Authorities.map(({ der }) => der))
  const root = new X509Certificate(x509_authorities[0] ?? expect.unreachable())
  expect(ca_cert_chain).toHaveLength(1)
  const ca = new X509Certificate(ca_cert_chain[0] ?? expect.unreachable())
  expect(ca.subject.split('\n')).toEqual(
    root.subject.split('\n').toSpliced(2, 0, 'OU=DOWNSTREAM-1'),
  )
  expect(ca.issuer).toBe(root.subject)
  expect(ca.subjectAltName).toBe('URI:spiffe://example.org')
  expect(ca.ca).toBe(true)
  expect(ca.publicKey.export({ type: 'spki', format: 'der' })).toEqual(spkiOf(key))
  expect(ca.checkIssued(root) && ca.verify(root.publicKey)).toBe(true)
  // As long as the root, which is its own limit, not a moment longer.
  expect(ca.validToDate).toEqual(root.validToDate)
})

test('what it signs verifies against the bundle of the trust domain', async () => {
  const [certificate = expect.unreachable()] = (await newCa(nested)).ca_cert_chain
  const now = systemClock.now()
  const leaf = leafSigner({ certificate, key })({
    spki: spkiOf(await generateKey('ec-p256')),
    id: parseSpiffeId('spiffe://example.org/far/down'),
    dnsNames: [],
    notBefore: new Date(now.getTime() - 1_000),
    notAfter: new Date(now.getTime() + 60_000),
    serial: Buffer.of(1),
  })
  const verified = verifyX509Svid({ chain: [leaf, certificate], bundle: await bundle(), now })
  expect(verified).toMatchObject({ id: 'spiffe://example.org/far/down' })
})

test.for([
  [60, 70],
  [3_600, 3_610],
] as const)('a preferred life of %i s is given', async ([ttl, life]) => {
  const [der = expect.unreachable()] = (await newCa(nested, undefined, ttl)).ca_cert_chain
  expect(lifeSeconds(new X509Certificate(der))).toBe(life)
})

test.for([0, -5, 2_000_000_000])('a preferred life of %i s is that of the root', async (ttl) => {
  const { ca_cert_chain, x509_authorities } = await newCa(nested, undefined, ttl)
  const [ca, root] = [ca_cert_chain[0], x509_authorities[0]].map(
    (der) => new X509Certificate(der ?? expect.unreachable()),
  )
  expect(ca?.validToDate).toEqual(root?.validToDate)
})

test('an ID, names and a subject in the CSR are of no account', async () => {
  const csr = createCsr({
    key,
    uriSans: ['spiffe://evil.org'],
    dnsNames: ['evil.org'],
  })
  const [der = expect.unreachable()] = (await newCa(nested, csr)).ca_cert_chain
  const ca = new X509Certificate(der)
  expect(ca.subjectAltName).toBe('URI:spiffe://example.org')
  expect(ca.subject).not.toContain('evil')
})

test('CSRs that are none are refused', async () => {
  const forged = createCsr({ key })
  forged.writeUInt8(forged.readUInt8(forged.length - 1) ^ 1, forged.length - 1)
  const refused = (details: RegExp) => ({
    code: status.INVALID_ARGUMENT,
    details: expect.stringMatching(details),
  })
  await expect(newCa(nested, Buffer.alloc(0))).rejects.toMatchObject(refused(/^malformed CSR: /))
  await expect(newCa(nested, Buffer.of(0, 0))).rejects.toMatchObject(refused(/^malformed CSR: /))
  await expect(newCa(nested, forged)).rejects.toMatchObject(refused(/^invalid CSR signature: /))
})

test('nobody else gets a CA: not the admin socket, not an agent, not a workload, not a stranger', async () => {
  const { certificate } = await server.attest()
  for (const clients of [
    server.admin,
    await server.connect(),
    await server.connect(certificate),
    await connectAs(server, 'spiffe://example.org/workload'),
  ]) {
    await expect(newCa(clients)).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
      details: 'authorization denied for method /spire.api.server.svid.v1.SVID/NewDownstreamX509CA',
    })
  }
})
