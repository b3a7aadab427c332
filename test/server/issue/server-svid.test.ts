import { X509Certificate } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isDue, openServerSvid, renewServerSvid } from '../../../server/issue/server-svid.ts'
import { spkiOf } from '../../../spiffe/key.ts'
import { openSite, type Site, startServer } from '../ca/server-under-test.ts'

const HOUR_MS = 60 * 60 * 1000

let site: Site
beforeEach(async () => {
  site = await openSite()
})
afterEach(() => site.store.close())

async function keptServerSvid() {
  const { ca, issuer, bundle } = await startServer(site)
  const svid = await openServerSvid(issuer)
  const failures: unknown[] = []
  const stop = new AbortController()
  const onFailure = (error: unknown) => failures.push(error)
  const done = renewServerSvid({ svid, x509: ca.x509, clock: site.clock, onFailure }, stop.signal)
  const end = () => {
    stop.abort()
    return done
  }
  await site.clock.sleepers(1)
  return { ca, svid, bundle, failures, end }
}

test('the server SVID is for the key beside it and lives for the default time', async () => {
  const { issuer } = await startServer(site)
  const { current } = await openServerSvid(issuer)
  const { chain, key, expiresAt } = current()
  const leaf = new X509Certificate(chain[0] ?? expect.unreachable())
  expect(leaf.publicKey.export({ type: 'spki', format: 'der' })).toEqual(spkiOf(key))
  expect(expiresAt.getTime() - site.clock.now().getTime()).toBe(HOUR_MS)
})

test('at half of its life it is replaced, with another key, and listeners are told', async () => {
  const { svid, failures, end } = await keptServerSvid()
  const first = svid.current()
  let told = 0
  const stop = svid.onChange(() => {
    told += 1
  })
  site.clock.advance(HOUR_MS / 2 - 1)
  await site.clock.sleepers(1)
  expect(svid.current()).toBe(first)
  site.clock.advance(5_000)
  await expect.poll(() => told).toBe(1)
  expect(svid.current().key.equals(first.key)).toBe(false)
  stop()
  await svid.renew()
  expect(told).toBe(1)
  expect(failures).toEqual([])
  await end()
})

test('it is replaced as soon as another authority is active', async () => {
  const { ca, svid, end } = await keptServerSvid()
  const first = svid.current()
  const { id } = await ca.x509.prepare()
  expect(svid.current()).toBe(first)
  await ca.x509.activate(id)
  await expect.poll(() => svid.current().authorityId).toBe(id)
  await end()
})

test('while nobody can sign, the present one stays, and the failure is reported every five seconds', async () => {
  const { svid, bundle, failures, end } = await keptServerSvid()
  const first = svid.current()
  await bundle.update((current) => ({
    ...current,
    x509Authorities: [],
    sequenceNumber: current.sequenceNumber + 1,
  }))
  site.clock.advance(HOUR_MS / 2)
  await expect.poll(() => failures.length).toBe(1)
  await site.clock.sleepers(1)
  site.clock.advance(5_000)
  await expect.poll(() => failures.length).toBe(2)
  expect(failures[0]).toMatchObject({ code: 'UNAVAILABLE' })
  expect(svid.current()).toBe(first)
  await end()
})

test('without an authority there is no first one', async () => {
  const { issuer } = await startServer(site)
  site.clock.advance(24 * HOUR_MS)
  await expect(openServerSvid(issuer)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

const at = (seconds: number) => new Date(Date.parse('2026-03-01T00:00:00Z') + seconds * 1000)
const issued = { chain: [], issuedAt: at(0), expiresAt: at(3600), authorityId: 'one' }

test.for([
  ['is kept when it is new', 'one', 0, false],
  ['is kept through the last moment before half of its life', 'one', 1799.999, false],
  ['is replaced at half of its life', 'one', 1800, true],
  ['is replaced when it has expired', 'one', 4000, true],
  ['is replaced when another authority is active', 'two', 1, true],
  ['is kept when no authority is active', undefined, 1, false],
  ['is replaced when the clock was set to before its making', 'one', -1, true],
] as const)('the server SVID %s', ([, activeId, seconds, expected]) => {
  expect(isDue(issued, activeId, at(seconds))).toBe(expected)
})
