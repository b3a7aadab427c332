import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDiskUpstream } from '../../../server/upstream/disk.ts'
import { rootOf } from '../../../server/upstream/upstream-authority.ts'
import { generateKey } from '../../../spiffe/key.ts'
import { parseCertificate } from '../../../spiffe/x509/certificate.ts'
import { createCsr } from '../../../spiffe/x509/csr.ts'
import { encodeName } from '../../../spiffe/x509/name.ts'
import { toPemChain } from '../../../spiffe/x509/pem.ts'
import { TEST_NOW, type TestCa, type TestLeaf, testCa } from '../../fakes/ca.ts'
import { FakeClock } from '../../fakes/clock.ts'

const dir = mkdtempSync(join(tmpdir(), 'steeple-'))
afterAll(() => rmSync(dir, { recursive: true }))
const config = {
  kind: 'disk' as const,
  certPath: join(dir, 'ca.pem'),
  keyPath: join(dir, 'ca.key'),
  bundlePath: undefined,
}
const HOUR = 3_600
const subject = encodeName({ country: ['US'], organization: ['SPIFFE'], serialNumber: '7' })
const key = await generateKey('ec-p256')
const csr = createCsr({ key, uriSans: ['spiffe://example.org'], subject })
let root: TestCa
let next: TestCa

beforeAll(async () => {
  root = await testCa({ uriSans: [] })
  next = await testCa({ uriSans: [] })
})

const pem = (...certificates: readonly Uint8Array[]) => toPemChain(certificates)
const pemKey = (of: TestLeaf) => String(of.key.export({ type: 'pkcs8', format: 'pem' }))

function write(certificates: string, privateKey: string): void {
  writeFileSync(config.certPath, certificates)
  writeFileSync(config.keyPath, privateKey)
}

const open = (changes: { readonly bundlePath?: string } = {}) =>
  openDiskUpstream(
    { ...config, ...changes },
    {
      trustDomain: root.trustDomain,
      clock: new FakeClock(TEST_NOW),
      randomBytes,
    },
  )

test('a root on disk signs a CA of this trust domain with the subject that was asked for', async () => {
  write(pem(root.certificate), pemKey(root))
  await using upstream = await open()
  const minted = await upstream.mintX509Ca(csr, HOUR)
  expect(minted.chain).toHaveLength(1)
  const ca = parseCertificate(minted.chain[0])
  expect(ca).toMatchObject({ isCa: true, uriSans: ['spiffe://example.org'] })
  expect(Buffer.compare(ca.subject, subject)).toBe(0)
  expect(ca.notAfter).toEqual(new Date(TEST_NOW.getTime() + HOUR * 1_000))
  expect(Buffer.from(rootOf(minted, TEST_NOW).der)).toEqual(Buffer.from(root.certificate))
})

test('no CA lives longer than the one that signs it', async () => {
  write(pem(root.certificate), pemKey(root))
  await using upstream = await open()
  const { chain } = await upstream.mintX509Ca(csr, 1_000 * HOUR)
  expect(parseCertificate(chain[0]).notAfter).toEqual(parseCertificate(root.certificate).notAfter)
})

test('files that were replaced sign from the next CA on', async () => {
  write(pem(root.certificate), pemKey(root))
  await using upstream = await open()
  write(pem(next.certificate), pemKey(next))
  const minted = await upstream.mintX509Ca(csr, HOUR)
  expect(Buffer.from(rootOf(minted, TEST_NOW).der)).toEqual(Buffer.from(next.certificate))
})

test('an intermediate signs when its roots are named, and goes with what it signed', async () => {
  const middle = await root.intermediate({ uriSans: [] })
  const bundlePath = join(dir, 'roots.pem')
  writeFileSync(bundlePath, pem(root.certificate))
  write(pem(middle.certificate, root.certificate), pemKey(middle))
  await using upstream = await open({ bundlePath })
  const minted = await upstream.mintX509Ca(csr, HOUR)
  expect(minted.chain.map((der) => Buffer.from(der))).toEqual([
    expect.anything(),
    Buffer.from(middle.certificate),
  ])
  expect(Buffer.from(rootOf(minted, TEST_NOW).der)).toEqual(Buffer.from(root.certificate))
})

test('a CA that the roots of the same answer do not vouch for is not taken', async () => {
  write(pem(root.certificate), pemKey(root))
  await using upstream = await open()
  const { chain } = await upstream.mintX509Ca(csr, HOUR)
  const foreign = [{ der: next.certificate, tainted: false }]
  expect(() => rootOf({ chain, roots: foreign }, TEST_NOW)).toThrow(/roots do not vouch for/)
})

test('a CA is not taken when a root beside its own cannot be read', async () => {
  write(pem(root.certificate), pemKey(root))
  await using upstream = await open()
  const { chain, roots } = await upstream.mintX509Ca(csr, HOUR)
  const mixed = [...roots, { der: Buffer.from('no certificate'), tainted: false }]
  expect(() => rootOf({ chain, roots: mixed }, TEST_NOW)).toThrow(/root that cannot be read/)
})

test('a request whose signature does not fit is refused', async () => {
  write(pem(root.certificate), pemKey(root))
  await using upstream = await open()
  const forged = Buffer.from(csr)
  forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1
  await expect(upstream.mintX509Ca(forged, HOUR)).rejects.toMatchObject({ code: 'CSR_INVALID' })
})

test.for([
  ['a key of another certificate', () => [pem(root.certificate), pemKey(next)], /not the key of/],
  ['a certificate that is no CA', leafFiles, /is no CA/],
  ['an intermediate without its roots', middleFiles, /name the roots in bundle_file_path/],
  [
    'two certificates without roots',
    () => [pem(root.certificate, next.certificate), pemKey(root)],
    /2 certificates/,
  ],
  ['a file without a certificate', () => ['', pemKey(root)], /no block "CERTIFICATE"/],
  ['a file without a key', () => [pem(root.certificate), 'none'], /no private key in PEM/],
] as const)('does not begin with %s', async ([, files, why]) => {
  const [certificates = '', privateKey = ''] = await files()
  write(certificates, privateKey)
  await expect(open()).rejects.toThrow(why)
})

async function leafFiles(): Promise<readonly string[]> {
  const leaf = await root.leaf('/w')
  return [pem(leaf.certificate), pemKey(leaf)]
}

async function middleFiles(): Promise<readonly string[]> {
  const middle = await root.intermediate()
  return [pem(middle.certificate), pemKey(middle)]
}
