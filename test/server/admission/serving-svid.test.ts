/** The certificate of the webhook server: whose it is, which names it has, and when there is another one. */
import { X509Certificate } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openServingSvid } from '../../../server/admission/serving-svid.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { openSite, type Site, startServer } from '../ca/server-under-test.ts'

let site: Site
beforeEach(async () => {
  site = await openSite()
})
afterEach(() => site.store.close())

async function open() {
  const { ca, issuer, bundle } = await startServer(site)
  const failures: unknown[] = []
  const svid = await openServingSvid({
    trustDomain: parseTrustDomain('example.org'),
    ...{ issuer, x509: ca.x509, clock: site.clock },
    onFailure: (error) => void failures.push(error),
  })
  const stop = new AbortController()
  const renewing = svid.renew(stop.signal)
  await site.clock.sleepers(1)
  const shown = () => new X509Certificate(svid.current().cert)
  return {
    ...{ ca, bundle, svid, failures, shown },
    end: async () => {
      stop.abort()
      site.clock.advance(60_000)
      await renewing
    },
  }
}

test('it is an SVID of its own, with the key beside it', async () => {
  const { svid, shown, end } = await open()
  expect(shown().subjectAltName).toBe('URI:spiffe://example.org/spire-controller-manager-webhook')
  expect(svid.current().key).toContain('PRIVATE KEY')
  await end()
})

test('new names bring a new certificate, the same names none', async () => {
  const { svid, shown, end } = await open()
  let told = 0
  svid.onChange(() => {
    told += 1
  })
  svid.setDnsNames(['hook.spire.svc', 'localhost'])
  await expect.poll(() => told).toBe(1)
  expect(shown().subjectAltName).toContain('DNS:hook.spire.svc, DNS:localhost')
  const serial = shown().serialNumber
  svid.setDnsNames(['hook.spire.svc', 'localhost'])
  site.clock.advance(5_000)
  await site.clock.sleepers(1)
  expect([told, shown().serialNumber]).toEqual([1, serial])
  await end()
})

test('at half of its life, and when another authority is active, there is another one', async () => {
  const { ca, shown, failures, end } = await open()
  const first = shown()
  const lifeMs = Date.parse(first.validTo) - site.clock.now().getTime()
  site.clock.advance(lifeMs / 2 + 5_000)
  await expect.poll(() => shown().serialNumber).not.toBe(first.serialNumber)
  const second = shown()
  const { id } = await ca.x509.prepare()
  await ca.x509.activate(id)
  await expect.poll(() => shown().serialNumber).not.toBe(second.serialNumber)
  expect(shown().verify(first.publicKey)).toBe(false)
  expect(failures).toEqual([])
  await end()
})
