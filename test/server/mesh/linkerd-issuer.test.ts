import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLinkerdIssuer } from '../../../server/mesh/linkerd/linkerd-issuer.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import { generateKey, spkiOf } from '../../../spiffe/key.ts'
import { parseCertificate } from '../../../spiffe/x509/certificate.ts'
import { openSite, type Site, startServer, TRUST_DOMAIN } from '../ca/server-under-test.ts'

const HOUR_MS = 60 * 60 * 1000
const dnsName = 'web.shop.serviceaccount.identity.linkerd.cluster.local'
const request = {
  spki: spkiOf(await generateKey('ec-p256')),
  dnsName,
  id: undefined,
  ttlSeconds: 3_600,
}

let site: Site
beforeEach(async () => {
  site = await openSite()
})
afterEach(() => site.store.close())

async function open(ttlSeconds = 0) {
  const server = await startServer(site)
  const { issuer, ca } = server
  const deps = { trustDomain: TRUST_DOMAIN, issuer, x509: ca.x509, clock: site.clock, randomBytes }
  return { ...server, linkerd: await openLinkerdIssuer(ttlSeconds, deps) }
}

test('a certificate names the DNS identity, and a SPIFFE ID only where it is asked for', async () => {
  const { linkerd } = await open()
  const plain = parseCertificate((await linkerd.issue(request)).leaf)
  expect([plain.dnsNames, plain.uriSans, plain.isCa]).toEqual([[dnsName], [], false])
  const id = parseSpiffeId('spiffe://example.org/ns/shop/sa/web')
  const both = parseCertificate((await linkerd.issue({ ...request, id })).leaf)
  expect([both.dnsNames, both.uriSans]).toEqual([[dnsName], [id]])
})

test('a certificate ends no later than the intermediate above it', async () => {
  const { linkerd } = await open(1_800)
  const { leaf, intermediates, expiresAt } = await linkerd.issue(request)
  const [above] = intermediates.map(parseCertificate)
  expect(parseCertificate(leaf).notAfter).toEqual(expiresAt)
  expect(expiresAt).toEqual(above?.notAfter)
})

test('the intermediate is replaced at half of its life and when another authority signs', async () => {
  const { linkerd, ca } = await open(2 * 3_600)
  const issuerNow = async () => Buffer.from((await linkerd.issue(request)).intermediates[0] ?? [])
  const first = await issuerNow()
  expect(await issuerNow()).toEqual(first)
  site.clock.advance(HOUR_MS)
  const second = await issuerNow()
  expect(second).not.toEqual(first)
  await ca.x509.activate((await ca.x509.prepare()).id)
  expect(await issuerNow()).not.toEqual(second)
})

test('without an authority that may sign, nothing is signed', async () => {
  const { linkerd, bundle } = await open()
  await bundle.update((current) => ({
    ...current,
    x509Authorities: [],
    sequenceNumber: current.sequenceNumber + 1,
  }))
  await expect(linkerd.issue(request)).rejects.toThrow(/no authority of this server may sign/)
})
