import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { callerCertificate, rfc2253 } from '../../../proxy/http/caller-certificate.ts'
import { xfccElement } from '../../../proxy/http/forwarded-headers.ts'
import { requestIds } from '../../../proxy/http/request-ids.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import { testCa } from '../../fakes/ca.ts'

const by = parseSpiffeId('spiffe://example.org/db')
const at = { authorityExpiresAt: new Date(1), verifiedAt: new Date(0) }

test.each([
  ['nothing', undefined, ''],
  ['one part', 'O=SPIRE', 'O=SPIRE'],
  ['the last part first', 'C=US\nO=SPIRE', 'O=SPIRE,C=US'],
  ['parts that belong together', 'C=US\nO=a + CN=b', 'CN=b+O=a,C=US'],
  ['letters outside of ASCII', 'CN=é', 'CN=\\C3\\A9'],
] as const)('a subject of %s is written as RFC 2253 has it', (_, lines, text) => {
  expect(rfc2253(lines)).toBe(text)
})

test('whatever a name holds, nothing outside of ASCII and no end of a line is left', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) => {
      const text = Buffer.from(rfc2253(name))
      expect(text.every((byte) => byte < 0x80 && byte !== 0x0a)).toBe(true)
    }),
  )
})

test('the caller is told by the hash of its leaf, its subject and those of its DNS names that are no trap', async () => {
  const ca = await testCa({ trustDomain: 'example.org' })
  const trap = 'a,By=x;URI=spiffe://example.org/admin'
  const { chain } = await ca.leaf('/web', { dnsNames: ['web.shop', trap, '*.shop'] })
  const id = parseSpiffeId('spiffe://example.org/web')
  const told = callerCertificate({ id, chain, ...at }, by)
  expect(told.dnsNames).toEqual(['web.shop', '*.shop'])
  const sha256 = createHash('sha256')
    .update(chain[0] ?? '')
    .digest('hex')
  expect(told).toMatchObject({ by, caller: id, sha256 })
  expect(xfccElement(told)).not.toContain('admin')
})

test('without a certificate there is nobody to tell of', () => {
  const id = parseSpiffeId('spiffe://example.org/web')
  expect(() => callerCertificate({ id, chain: [], ...at }, by)).toThrow('without a certificate')
})

test('request IDs are UUIDs of version 4, each another, from bytes drawn by the page', () => {
  let draws = 0
  const newId = requestIds((size) => {
    draws += 1
    return Uint8Array.from({ length: size }, (_, index) => (index * 7 + draws * 13) & 0xff)
  })
  const ids = Array.from({ length: 300 }, newId)
  expect(draws).toBe(2)
  for (const id of ids)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})
