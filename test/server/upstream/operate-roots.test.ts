import { expect, test } from 'vitest'
import type { Slots } from '../../../server/ca/slots.ts'
import type { X509Ca } from '../../../server/ca/x509-ca.ts'
import { mustBeAboveOld, operateRoots } from '../../../server/upstream/operate-roots.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import { authorityIdOf } from '../../../spiffe/x509/key-id.ts'
import { testCa } from '../../fakes/ca.ts'
import { memoryLog } from '../../fakes/memory-log.ts'

const under = (authorityId: string): X509Ca => ({
  ...{ id: 'ca', keySlot: 'A', certificate: new Uint8Array() },
  ...{ issuedAt: new Date(0), notBefore: new Date(0), expiresAt: new Date(0) },
  upstream: { intermediates: [], authorityId },
})

test.for([
  ['no key ID', '', { old: under('a') }, 'no subject key ID provided'],
  ['the root of what signs', 'b', { old: under('a'), active: under('b') }, /singing current/],
  [
    'any root while another authority is prepared',
    'a',
    { old: under('a'), active: under('b'), prepared: under('c') },
    /only upstream authorities signing an old authority/,
  ],
  ['a root that nothing old is below', 'x', { old: under('a'), active: under('b') }, /didn't sign/],
  ['a root when nothing is old', 'a', { active: under('b') }, /didn't sign/],
] as const)('refuses %s', ([, id, slots, why]) => {
  const all: Slots<X509Ca> = { prepared: undefined, active: undefined, old: undefined, ...slots }
  expect(() => mustBeAboveOld(all, id, 'context')).toThrow(why)
  expect(() => mustBeAboveOld(all, id, 'context')).toThrow(/^context: /)
})

test('the root of the old authority is tainted, then revoked, each once and in this order', async () => {
  const ca = await testCa()
  let bundle: Bundle = ca.bundle
  const id = authorityIdOf(ca.certificate)
  const publication = {
    current: () => bundle,
    async update(change: (present: Bundle) => Bundle) {
      bundle = change(bundle)
    },
  }
  const slots = { prepared: undefined, active: under('new'), old: under(id) }
  const roots = operateRoots({ slots: () => slots }, publication, memoryLog().log)

  await expect(roots.revoke(id)).rejects.toThrow(/not possible to revoke an untainted root CA/)
  await roots.taint(id)
  expect(bundle.x509Authorities).toMatchObject([{ tainted: true }])
  await expect(roots.taint(id)).rejects.toThrow(/already tainted/)
  await roots.revoke(id)
  expect(bundle.x509Authorities).toEqual([])
  await expect(roots.revoke(id)).rejects.toThrow(/no root CA found/)
})
