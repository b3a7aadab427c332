import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { X509SVIDResponse } from '../../proto/gen/X509SVIDResponse.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { readX509Response } from '../../workload/x509-context.ts'
import { currentCa, identityOf } from '../fakes/svids.ts'

const example = await currentCa('example.org')
const partner = await currentCa('partner.org')
const web = await identityOf(example, '/web')
const db = await identityOf(example, '/db')

const wire = ({ id, chain, key, hint }: typeof web, change: object = {}) => ({
  spiffe_id: id,
  x509_svid: Buffer.concat(chain),
  x509_svid_key: Buffer.from(key),
  bundle: Buffer.from(example.certificate),
  hint,
  ...change,
})
const response = (change: Partial<X509SVIDResponse> = {}): X509SVIDResponse => ({
  svids: [wire(web)],
  crl: [],
  federated_bundles: {},
  ...change,
})
const read = (change: Partial<X509SVIDResponse> = {}) =>
  readX509Response(response(change), ([first]) => first)

test('of several SVIDs with one hint the first is meant; empty hints do not clash', () => {
  const { svids } = read({
    svids: [wire(web, { hint: 'x' }), wire(db, { hint: 'x' }), wire(db), wire(web)],
  })
  expect(svids.map(({ id, hint }) => [id, hint])).toEqual([
    [web.id, 'x'],
    [db.id, ''],
    [web.id, ''],
  ])
})

test('a federated bundle never replaces the own one', () => {
  const { bundles } = read({
    federated_bundles: { 'spiffe://example.org': Buffer.from(partner.certificate) },
  })
  const [own] = bundles.get(example.trustDomain)?.x509Authorities ?? []
  expect(Buffer.from(own?.der ?? []).equals(example.certificate)).toBe(true)
})

test('an empty federated bundle is kept as one that vouches for nobody', () => {
  const { bundles } = read({ federated_bundles: { 'spiffe://partner.org': Buffer.alloc(0) } })
  expect(bundles.get(partner.trustDomain)?.x509Authorities).toEqual([])
})

test.for([
  ['no SVID', { svids: [] }, 'without any X509-SVID'],
  ['no chain', { svids: [wire(web, { x509_svid: Buffer.alloc(0) })] }, 'no certificate'],
  ['no key', { svids: [wire(web, { x509_svid_key: Buffer.alloc(0) })] }, 'PKCS#8'],
  ['the key of another SVID', { svids: [wire(web, { x509_svid_key: db.key })] }, 'does not belong'],
  [
    'another ID than the certificate',
    { svids: [wire(web, { spiffe_id: db.id })] },
    'certificate says',
  ],
  ['a bundle that is no DER', { svids: [wire(web, { bundle: Buffer.from('x') })] }, ''],
  ['a CA for an SVID', { svids: [wire(web, { x509_svid: Buffer.from(example.certificate) })] }, ''],
  [
    'a federated bundle under no trust domain',
    { federated_bundles: { 'spiffe://UPPER': Buffer.alloc(0) } },
    'trust domain',
  ],
  [
    'a federated bundle under an ID with a path',
    { federated_bundles: { 'spiffe://partner.org/x': Buffer.alloc(0) } },
    'trust domain',
  ],
] as const)('refuses an answer with %s', ([, change, message]) => {
  expect(() => read(change as Partial<X509SVIDResponse>)).toThrow(IdentityError)
  expect(() => read(change as Partial<X509SVIDResponse>)).toThrow(message)
})

test('says which SVIDs there are when none is picked', () => {
  expect(() => readX509Response(response(), () => undefined)).toThrow(
    'none of the X509-SVIDs was picked: spiffe://example.org/web',
  )
})

test('no bytes make it fail with anything but a refusal', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.nat(2), (bytes, where) => {
      const broken = Buffer.concat([Buffer.concat(web.chain).subarray(0, 40 * where), bytes])
      for (const field of ['x509_svid', 'x509_svid_key', 'bundle']) {
        try {
          read({ svids: [wire(web, { [field]: broken })] })
        } catch (error) {
          expect(error).toBeInstanceOf(IdentityError)
        }
      }
    }),
  )
})
