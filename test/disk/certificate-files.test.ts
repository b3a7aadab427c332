import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openCertificateFiles } from '../../disk/certificate-files.ts'
import { toPemChain } from '../../spiffe/x509/pem.ts'
import { TEST_NOW, type TestLeaf, testCa } from '../fakes/ca.ts'
import { FakeClock } from '../fakes/clock.ts'

const ca = await testCa()
const dir = mkdtempSync(join(tmpdir(), 'steeple-'))
afterAll(() => rmSync(dir, { recursive: true }))
const files = {
  certPath: join(dir, 'cert.pem'),
  keyPath: join(dir, 'key.pem'),
  syncIntervalMs: 1_000,
}

function write({ chain, key }: TestLeaf, keyOf: TestLeaf = { chain, key } as TestLeaf): void {
  writeFileSync(files.certPath, toPemChain(chain))
  writeFileSync(files.keyPath, String(keyOf.key.export({ type: 'pkcs8', format: 'pem' })))
}

test('certificate files are read again; a pair that does not belong together leaves the last one', async () => {
  const [first, second] = [await ca.leaf('/a'), await ca.leaf('/b')]
  write(first)
  const clock = new FakeClock(TEST_NOW)
  const failures: unknown[] = []
  let changes = 0
  const certificate = await openCertificateFiles(files, {
    clock,
    onChanged: () => {
      changes += 1
    },
    onFailure: (error) => failures.push(error),
  })
  const before = certificate.current()
  const stop = new AbortController()
  const following = certificate.follow(stop.signal)

  write(second, first)
  await clock.sleepers(1)
  clock.advance(1_000)
  await expect.poll(() => failures.length).toBe(1)
  expect(String(failures[0])).toContain('is not that of the certificate')
  expect(certificate.current()).toBe(before)

  write(second)
  await clock.sleepers(1)
  clock.advance(1_000)
  await expect.poll(() => changes).toBe(1)
  expect(certificate.current()).not.toEqual(before)
  stop.abort()
  await following
})

test('without a certificate to begin with the endpoint does not open', async () => {
  const deps = { clock: new FakeClock(), onChanged() {}, onFailure() {} }
  const missing = { ...files, certPath: join(dir, 'none.pem') }
  await expect(openCertificateFiles(missing, deps)).rejects.toThrow(/cannot read .*none.pem/)
  writeFileSync(files.certPath, 'no certificate')
  await expect(openCertificateFiles(files, deps)).rejects.toThrow(/no PEM certificate and key/)
})
