import { X509Certificate } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { memoryKeyStore } from '../../../server/ca/key-store/memory.ts'
import { takeDueSteps } from '../../../server/ca/rotate.ts'
import { spkiOf } from '../../../spiffe/key.ts'
import { authorityIdOf } from '../../../spiffe/x509/key-id.ts'
import { openSite, type Site, startServer } from './server-under-test.ts'

const HOUR_MS = 60 * 60 * 1000

let site: Site
beforeEach(async () => {
  site = await openSite()
})
afterEach(() => site.store.close())

test('the first start makes and activates one authority of each kind, both in the bundle', async () => {
  const { ca, bundle } = await startServer(site)
  const { x509Authorities, jwtAuthorities } = bundle.current()
  expect(x509Authorities.map(({ der }) => authorityIdOf(der))).toEqual([ca.x509.slots().active?.id])
  expect(jwtAuthorities.map(({ keyId }) => keyId)).toEqual([ca.jwt?.slots().active?.id])
  expect(ca.x509.slots()).toMatchObject({ prepared: undefined, old: undefined })
})

test('keys have the names that SPIRE gives them', async () => {
  await startServer(site)
  expect(await site.keyStore.load('x509-CA-A')).toBeDefined()
  expect(await site.keyStore.load('JWT-Signer-A')).toBeDefined()
  expect(await site.keyStore.load('x509-CA-B')).toBeUndefined()
  site.clock.advance(12 * HOUR_MS)
  await startServer(site)
  expect(await site.keyStore.load('x509-CA-B')).toBeDefined()
})

test('a CA certificate is valid from ten seconds before it was made until a CA life later', async () => {
  const { ca } = await startServer(site)
  const { certificate } = ca.x509.slots().active ?? expect.unreachable()
  const parsed = new X509Certificate(certificate)
  expect(parsed.validFromDate).toEqual(new Date(site.clock.now().getTime() - 10_000))
  expect(parsed.validToDate).toEqual(new Date(site.clock.now().getTime() + 24 * HOUR_MS))
  expect(parsed.subjectAltName).toBe('URI:spiffe://example.org')
  expect(parsed.ca).toBe(true)
})

test('a key ID of a JWT authority is 32 letters and digits', async () => {
  const { ca } = await startServer(site)
  expect(ca.jwt?.slots().active?.id).toMatch(/^[A-Za-z0-9]{32}$/)
})

test('no JWT authority is made while JWT-SVIDs are disabled', async () => {
  const { ca, bundle } = await startServer(site, { disableJwtSvids: true })
  expect(ca.jwt).toBeUndefined()
  expect(bundle.current().jwtAuthorities).toEqual([])
  expect(await site.keyStore.load('JWT-Signer-A')).toBeUndefined()
})

test('a restart goes on with the same active and prepared authorities and their keys', async () => {
  const first = await startServer(site)
  site.clock.advance(12 * HOUR_MS)
  await takeDueSteps(first.ca.x509, site.clock)
  const before = first.ca.x509.slots()
  expect(before.prepared).toBeDefined()
  const { ca } = await startServer(site)
  expect(ca.x509.slots()).toEqual(before)
  expect(ca.x509.signer()?.key.equals(first.ca.x509.signer()?.key ?? expect.unreachable())).toBe(
    true,
  )
})

test('a restart right after an activation has the new authority active, and the one before it old', async () => {
  const first = await startServer(site)
  const old = first.ca.x509.slots().active
  const { id } = await first.ca.x509.prepare()
  await first.ca.x509.activate(id)
  const { ca } = await startServer(site)
  expect(ca.x509.slots()).toEqual({
    active: first.ca.x509.slots().active,
    old,
    prepared: undefined,
  })
})

test('F-1: a prepared authority is in the bundle and signs nothing until it is activated', async () => {
  const { ca, bundle } = await startServer(site)
  const { active } = ca.x509.slots()
  const prepared = await ca.x509.prepare()
  expect(bundle.current().x509Authorities.map(({ der }) => authorityIdOf(der))).toContain(
    prepared.id,
  )
  expect(ca.x509.signer()?.authority).toBe(active)
  await ca.x509.activate(prepared.id)
  expect(ca.x509.slots()).toMatchObject({ active: prepared, old: active, prepared: undefined })
  const { authority, key } = ca.x509.signer() ?? expect.unreachable()
  expect(authority).toBe(prepared)
  expect(
    new X509Certificate(prepared.certificate).publicKey.export({ type: 'spki', format: 'der' }),
  ).toEqual(spkiOf(key))
})

test.for([
  ['that is not named', 'no authority ID provided', async () => ''],
  ['that was never made', 'unexpected authority ID', async () => 'nobody'],
  [
    'that signs already',
    'unexpected authority ID',
    async (ca) => ca.slots().active?.id ?? expect.unreachable(),
  ],
  [
    'that is old',
    'only Prepared authorities can be activated: unsupported local authority status: OLD',
    async (ca) => {
      const old = ca.slots().active?.id ?? ''
      await ca.activate((await ca.prepare()).id)
      return old
    },
  ],
  [
    'that was prepared before another one',
    'unexpected authority ID',
    async (ca) => {
      const { id } = await ca.prepare()
      await ca.prepare()
      return id
    },
  ],
] as readonly (readonly [
  string,
  string,
  (ca: Awaited<ReturnType<typeof startServer>>['ca']['x509']) => Promise<string>,
])[])('activating an authority %s is refused', async ([, message, choose]) => {
  const { ca } = await startServer(site)
  const id = await choose(ca.x509)
  const before = ca.x509.slots()
  await expect(ca.x509.activate(id)).rejects.toMatchObject({ message })
  expect(ca.x509.slots()).toEqual(before)
})

test('a prepared authority that has left the bundle cannot be activated', async () => {
  const { ca, bundle } = await startServer(site)
  const { id, certificate } = await ca.x509.prepare()
  await bundle.update((current) => ({
    ...current,
    x509Authorities: current.x509Authorities.filter(
      ({ der }) => Buffer.compare(der, certificate) !== 0,
    ),
    sequenceNumber: current.sequenceNumber + 1,
  }))
  await expect(ca.x509.activate(id)).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
  expect(ca.x509.slots().prepared).toBeUndefined()
})

test('an active authority that has left the bundle signs nothing, and rotation replaces it', async () => {
  const { ca, bundle } = await startServer(site)
  const lost = ca.x509.slots().active
  await bundle.update((current) => ({
    ...current,
    x509Authorities: [],
    sequenceNumber: current.sequenceNumber + 1,
  }))
  expect(ca.x509.signer()).toBeUndefined()
  await takeDueSteps(ca.x509, site.clock)
  expect(ca.x509.signer()?.authority.id).not.toBe(lost?.id)
  expect(bundle.current().x509Authorities).toHaveLength(1)
})

test.for([
  ['expired', 24 * HOUR_MS],
  ['not valid yet, because the clock was set back', -10_001],
] as const)(
  'an active authority that is %s signs nothing, and rotation replaces it',
  async ([, ms]) => {
    const { ca } = await startServer(site)
    const before = ca.x509.slots().active
    site.clock.advance(ms)
    expect(ca.x509.signer()).toBeUndefined()
    expect(ca.jwt?.signer()).toBeUndefined()
    await takeDueSteps(ca.x509, site.clock)
    expect(ca.x509.signer()?.authority.id).not.toBe(before?.id)
  },
)

test('a server whose keys are gone makes new authorities and leaves the old ones in the bundle', async () => {
  const first = await startServer(site)
  site.keyStore = memoryKeyStore()
  const { ca, bundle } = await startServer(site)
  expect(ca.x509.signer()?.authority.id).not.toBe(first.ca.x509.signer()?.authority.id)
  expect(ca.jwt?.signer()?.authority.id).not.toBe(first.ca.jwt?.signer()?.authority.id)
  expect(bundle.current().x509Authorities).toHaveLength(2)
  expect(bundle.current().jwtAuthorities).toHaveLength(2)
})

test('a key that is not the one of its authority is not used', async () => {
  const first = await startServer(site)
  await site.keyStore.generate('x509-CA-A', 'ec-p256')
  const { ca } = await startServer(site)
  expect(ca.x509.signer()?.authority.id).not.toBe(first.ca.x509.signer()?.authority.id)
  expect(ca.jwt?.signer()?.authority.id).toBe(first.ca.jwt?.signer()?.authority.id)
})

test('a journal that cannot be written lets the bundle grow by one authority, however often it is tried', async () => {
  const { ca, bundle } = await startServer(site)
  for (let attempt = 0; attempt < 5; attempt += 1) {
    site.calls = 0
    site.fault = { at: attempt === 0 ? 3 : 1, when: 'before' }
    await expect(ca.x509.prepare()).rejects.toThrow('failed')
  }
  site.fault = undefined
  const prepared = await ca.x509.prepare()
  expect(ca.x509.slots().prepared).toBe(prepared)
  expect(bundle.current().x509Authorities).toHaveLength(2)
})

test('listeners hear of an activation, not of a preparation, and no more once they stop', async () => {
  const { ca } = await startServer(site)
  let heard = 0
  const stop = ca.x509.onActivate(() => {
    heard += 1
  })
  const { id } = await ca.x509.prepare()
  expect(heard).toBe(0)
  await ca.x509.activate(id)
  expect(heard).toBe(1)
  stop()
  await ca.x509.activate((await ca.x509.prepare()).id)
  expect(heard).toBe(1)
})

test('an operator who prepares while rotation does leaves one of the two, not half of each', async () => {
  const { ca } = await startServer(site)
  const [, second] = await Promise.all([ca.x509.prepare(), ca.x509.prepare()])
  expect(ca.x509.slots().prepared).toBe(second)
  const again = await startServer(site)
  expect(again.ca.x509.slots().prepared?.id).toBe(second.id)
})

test('a prepared authority whose key was replaced is prepared no more, even when that attempt failed', async () => {
  const { ca } = await startServer(site)
  await ca.x509.prepare()
  site.calls = 0
  site.fault = { at: 2, when: 'before' }
  await expect(ca.x509.prepare()).rejects.toThrow('failed')
  site.fault = undefined
  expect(ca.x509.slots().prepared).toBeUndefined()
})

test('an attempt whose key was replaced by a later attempt is never taken up again', async () => {
  const { ca } = await startServer(site)
  const failAt = async (at: number) => {
    site.calls = 0
    site.fault = { at, when: 'before' }
    await expect(ca.x509.prepare()).rejects.toThrow('failed')
    site.fault = undefined
  }
  site.clock.advance(HOUR_MS)
  await failAt(3) // at the journal: published, and its key is in slot B
  site.clock.advance(-HOUR_MS)
  await failAt(2) // not valid yet, so another key is made for slot B, and not published
  site.clock.advance(HOUR_MS)
  const prepared = await ca.x509.prepare()
  const again = await startServer(site)
  expect(again.ca.x509.slots().prepared?.id).toBe(prepared.id)
})

test('the log says what was prepared and activated in the words of SPIRE, and which key is gone', async () => {
  const first = await startServer(site, { disableJwtSvids: true })
  const before = {
    local_authority_id: first.ca.x509.slots().active?.id,
    slot: 'A',
    issued_at: '2026-01-01T00:00:00.000Z',
    expiration: '2026-01-02T00:00:00.000Z',
  }
  expect(site.lines).toMatchObject([
    { msg: 'X509 CA prepared', level: 'info', ...before },
    { msg: 'X509 CA activated', level: 'info', ...before },
  ])
  site.keyStore = memoryKeyStore()
  await startServer(site, { disableJwtSvids: true })
  expect(site.lines[2]).toMatchObject({
    msg: 'X509 CA is not used any more: its key is not in the key store',
    level: 'warn',
    ...before,
  })
})

test('a failed rotation is logged as an error, and what was active goes on signing', async () => {
  const { ca } = await startServer(site)
  const active = ca.x509.signer()
  const stop = new AbortController()
  site.clock.advance(12 * HOUR_MS)
  site.calls = 0
  site.fault = { at: 1, when: 'before' }
  const rotating = ca.rotate(stop.signal)
  await site.clock.sleepers(2)
  expect(site.lines.filter(({ level }) => level === 'error')).toMatchObject([
    { msg: 'X509 CA rotation failed' },
  ])
  expect(ca.x509.signer()).toEqual(active)
  stop.abort()
  await rotating
})
