import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openJournal } from '../../../server/ca/journal.ts'
import { decodeJournal, encodeJournal } from '../../../server/ca/journal-document.ts'
import { jwtSigningKeyKind } from '../../../server/ca/jwt-signing-key.ts'
import { EMPTY_SLOTS } from '../../../server/ca/slots.ts'
import { x509CaKind } from '../../../server/ca/x509-ca.ts'
import { openStore } from '../../../server/store/sqlite/open-store.ts'
import type { Store } from '../../../server/store/store.ts'
import { parseTrustDomain } from '../../../spiffe/id.ts'
import { generateKey } from '../../../spiffe/key.ts'
import { FakeClock } from '../../fakes/clock.ts'

const trustDomain = parseTrustDomain('example.org')
const serverKey = 'server-1'
const clock = new FakeClock('2026-03-01T12:00:00.789Z')
const kinds = {
  x509: x509CaKind({
    trustDomain,
    keyType: 'ec-p256',
    subject: { country: [], organization: [], commonName: undefined },
    ttlSeconds: 3600,
    randomBytes,
    upstream: undefined,
  }),
  jwt: jwtSigningKeyKind({
    keyType: 'ec-p256',
    ttlSeconds: 3600,
    randomBytes,
    upstream: undefined,
  }),
}
const key = await generateKey('ec-p256')
const x509 = await kinds.x509.make(key, 'A', clock.now())
const nextX509 = await kinds.x509.make(await generateKey('ec-p256'), 'B', clock.now())
const jwt = await kinds.jwt.make(key, 'B', clock.now())

let store: Store
beforeEach(async () => {
  store = await openStore({ path: ':memory:', clock })
})
afterEach(() => store.close())

const open = () => openJournal({ store: store.caJournal, serverKey, trustDomain })

test('a new journal has empty slots', async () => {
  const journal = await open()
  expect(journal.x509.load()).toEqual(EMPTY_SLOTS)
  expect(journal.jwt.load()).toEqual(EMPTY_SLOTS)
})

test('what was saved is there after a restart, to the byte and the second', async () => {
  const journal = await open()
  const slots = { active: x509, prepared: nextX509, old: undefined }
  await journal.x509.save(slots)
  await journal.jwt.save({ ...EMPTY_SLOTS, old: jwt })
  const again = await open()
  expect(again.x509.load()).toEqual(slots)
  expect(again.jwt.load()).toEqual({ ...EMPTY_SLOTS, old: jwt })
})

test('both kinds saved at the same time are both kept', async () => {
  const journal = await open()
  await Promise.all([
    journal.x509.save({ ...EMPTY_SLOTS, active: x509 }),
    journal.jwt.save({ ...EMPTY_SLOTS, active: jwt }),
  ])
  const again = await open()
  expect([again.x509.load().active?.id, again.jwt.load().active?.id]).toEqual([x509.id, jwt.id])
})

test('what could not be saved is not there', async () => {
  const journal = await open()
  await store.close()
  await expect(journal.x509.save({ ...EMPTY_SLOTS, active: x509 })).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  })
  expect(journal.x509.load()).toEqual(EMPTY_SLOTS)
})

test('servers that share a store have a journal each', async () => {
  await (await open()).x509.save({ ...EMPTY_SLOTS, active: x509 })
  const other = await openJournal({ store: store.caJournal, serverKey: 'server-2', trustDomain })
  expect(other.x509.load()).toEqual(EMPTY_SLOTS)
})

test('the journal of another trust domain is refused', async () => {
  await (await open()).x509.save({ ...EMPTY_SLOTS, active: x509 })
  const opening = openJournal({
    store: store.caJournal,
    serverKey,
    trustDomain: parseTrustDomain('other.test'),
  })
  await expect(opening).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message:
      'the database belongs to a server of trust domain example.org, not other.test; use another database',
  })
})

test('the journal has no private key in it', () => {
  const document = Buffer.from(
    encodeJournal({
      trustDomain,
      x509: { ...EMPTY_SLOTS, active: x509 },
      jwt: { ...EMPTY_SLOTS, active: jwt },
    }),
  )
  const { d = '' } = key.export({ format: 'jwk' })
  const secret = Buffer.from(d, 'base64url')
  const decoded = JSON.parse(document.toString())
  for (const bytes of [
    document,
    Buffer.from(decoded.x509.active.certificate, 'base64'),
    Buffer.from(decoded.jwt.active.publicKey, 'base64'),
  ]) {
    expect(bytes.includes(secret)).toBe(false)
  }
})

const good = JSON.parse(
  Buffer.from(
    encodeJournal({
      trustDomain,
      x509: { ...EMPTY_SLOTS, active: x509 },
      jwt: { ...EMPTY_SLOTS, active: jwt },
    }),
  ).toString(),
)
const { active } = good.x509

test.for([
  ['empty', Buffer.from('')],
  ['no JSON', Buffer.from('{')],
  ['null', Buffer.from('null')],
  ['of a later version', { ...good, version: 2 }],
  ['without one of its kinds', { ...good, jwt: undefined }],
  ['with a field that is not known', { ...good, more: 1 }],
  ['with a slot that is not known', { ...good, x509: { next: active } }],
  ['with a key slot that is not known', { ...good, x509: { active: { ...active, keySlot: 'C' } } }],
  [
    'with a certificate that is none',
    { ...good, x509: { active: { ...active, certificate: 'AAAA' } } },
  ],
  [
    'with the certificate of another authority',
    {
      ...good,
      x509: {
        active: { ...active, certificate: Buffer.from(nextX509.certificate).toString('base64') },
      },
    },
  ],
  [
    'with a time that is none',
    { ...good, jwt: { active: { ...good.jwt.active, expiresAt: '2026' } } },
  ],
] as const)(
  'a journal that is %s stops the start, and the message says what to do',
  async ([, document]) => {
    const bytes = Buffer.isBuffer(document) ? document : Buffer.from(JSON.stringify(document))
    await store.caJournal.save(serverKey, bytes)
    await expect(open()).rejects.toMatchObject({
      name: 'IdentityError',
      code: 'UNAVAILABLE',
      message: expect.stringMatching(
        /^the CA journal in the database is damaged .*restore the database, or delete the row "server-1" of table ca_journals to let the server make new authorities$/,
      ),
    })
  },
)

test('a journal in which any byte was changed is refused, or says something that is well formed', () => {
  const document = Buffer.from(JSON.stringify(good))
  fc.assert(
    fc.property(fc.nat(document.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const changed = Buffer.from(document)
      changed[at] = (changed[at] ?? 0) ^ flip
      try {
        const { x509: slots } = decodeJournal(changed)
        expect(slots.active === undefined || slots.active.id === x509.id).toBe(true)
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
    }),
  )
})
