import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkNames } from '../../../server/mesh/istio-ca/read-request.ts'
import { readCsr, readPemCsr } from '../../../server/mesh/requested-csr.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { parseSpiffeId } from '../../../spiffe/id.ts'
import { generateKey } from '../../../spiffe/key.ts'
import { createCsr } from '../../../spiffe/x509/csr.ts'
import { encodeName } from '../../../spiffe/x509/name.ts'
import { toPem } from '../../../spiffe/x509/pem.ts'

const ID = parseSpiffeId('spiffe://example.org/ns/shop/sa/cart')
const NO_SUBJECT = encodeName({})

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'mesh-csr-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** As OpenSSL makes it. @param more e.g. `-addext` and its value */
const opensslCsr = (newkey: readonly string[], ...more: readonly string[]) =>
  execFileSync(
    'openssl',
    [
      'req',
      '-new',
      '-newkey',
      ...newkey,
      '-nodes',
      '-keyout',
      join(dir, 'key'),
      '-subj',
      '/',
      ...more,
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  )
const EC = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] as const

const signed = async (more: Partial<Parameters<typeof createCsr>[0]> = {}) =>
  createCsr({ key: await generateKey('ec-p256'), uriSans: [ID], subject: NO_SUBJECT, ...more })
const pem = (der: Uint8Array) => toPem('CERTIFICATE REQUEST', der)

test('the requests of a ztunnel, a sidecar and a Linkerd proxy are read', async () => {
  const ztunnel = readPemCsr(pem(await signed()))
  checkNames(ztunnel, ID)
  // Builds of ztunnel differ in whether the name is critical; with no subject it should be.
  checkNames(readPemCsr(opensslCsr(EC, '-addext', `subjectAltName=critical,URI:${ID}`)), ID)
  const usages = ['-addext', 'keyUsage=digitalSignature', '-addext', 'extendedKeyUsage=serverAuth']
  const sidecar = readPemCsr(opensslCsr(EC, '-addext', `subjectAltName=URI:${ID}`, ...usages))
  checkNames(sidecar, ID)
  expect(sidecar.extensions).toHaveLength(3)
  checkNames(readPemCsr(pem(await signed({ subject: encodeName({ organization: [''] }) }))), ID)
  expect(readCsr(await signed({ uriSans: [], dnsNames: ['a.b'] })).dnsNames).toEqual(['a.b'])
})

test.for([
  ['nothing', '', /no block/],
  ['no PEM', 'hello', /no block/],
  ['a block that is cut off', '-----BEGIN CERTIFICATE REQUEST-----\nAAAA', /cut off/],
  [
    'a key',
    '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
    /expected "CERTIFICATE REQUEST"/,
  ],
  ['no DER', pem(Buffer.from('hello')), /malformed/],
  ['too long a text', 'x'.repeat(24 * 1024 + 1), /expected at most 24576/],
] as const)('what is %s is no request', ([, text, why]) => {
  expect(() => readPemCsr(text)).toThrow(why)
})

test('two requests are none', async () => {
  const text = pem(await signed())
  expect(() => readPemCsr(text + text)).toThrow(/expected one CSR, but there are 2/)
})

test('a weak key, a foreign extension, or a signature of another key is refused', async () => {
  expect(() => readPemCsr(opensslCsr(['rsa:1024']))).toThrow(/RSA key of 1024 bits/)
  const asCa = opensslCsr(EC, '-addext', 'basicConstraints=CA:TRUE')
  expect(() => readPemCsr(asCa)).toThrow(/asks for the extension 2.5.29.19/)
  const der = Buffer.from(await signed())
  der[der.length - 1] = (der[der.length - 1] ?? 0) ^ 1
  expect(() => readCsr(der)).toThrow(/not signed by its own key|malformed/)
})

test('names beyond the caller’s own identity are refused', async () => {
  const names = (more: Parameters<typeof signed>[0]) => async () =>
    checkNames(readCsr(await signed(more)), ID)
  await expect(names({ uriSans: [] })()).resolves.toBeUndefined()
  await expect(names({ uriSans: ['spiffe://example.org/ns/shop/sa/admin'] })()).rejects.toThrow(
    /but the caller is given/,
  )
  await expect(names({ uriSans: ['spiffe://cluster.local/ns/shop/sa/cart'] })()).rejects.toThrow(
    /is the mesh’s trust domain the server’s/,
  )
  await expect(names({ uriSans: [ID, ID] })()).rejects.toThrow(/asks for 2 URIs/)
  await expect(names({ dnsNames: ['cart.shop'] })()).rejects.toThrow(/other names than URIs/)
  await expect(names({ subject: encodeName({ commonName: 'x' }) })()).rejects.toThrow(/common name/)
  const mail = readPemCsr(opensslCsr(EC, '-addext', `subjectAltName=URI:${ID},email:a@b.c`))
  expect(() => checkNames(mail, ID)).toThrow(/other names than URIs/)
  const ip = readPemCsr(opensslCsr(EC, '-addext', `subjectAltName=URI:${ID},IP:10.0.0.1`))
  expect(() => checkNames(ip, ID)).toThrow(/other names than URIs/)
})

test('no bytes but a whole request pass, and none of them is a bug', async () => {
  const der = await signed()
  const good = pem(der)
  const outcome = (read: () => unknown) => {
    try {
      read()
    } catch (error) {
      expect(error).toBeInstanceOf(IdentityError)
    }
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => outcome(() => readCsr(bytes))),
  )
  fc.assert(
    fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const changed = Buffer.from(der)
      changed[at] = (changed[at] ?? 0) ^ flip
      // Every byte is signed over or part of the signature.
      expect(() => readCsr(changed)).toThrow(IdentityError)
    }),
  )
  fc.assert(
    fc.property(fc.nat(good.length), fc.string(), (at, text) =>
      outcome(() => readPemCsr(good.slice(0, at) + text + good.slice(at))),
    ),
  )
})
