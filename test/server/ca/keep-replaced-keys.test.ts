import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDiskKeyStore } from '../../../server/ca/key-store/disk.ts'
import type { KeyStore } from '../../../server/ca/key-store/key-store.ts'
import { openSite, startServer } from './server-under-test.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'steeple-replaced-'))
  path = join(directory, 'keys.json')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const openKeys = () => openDiskKeyStore({ path, log: { warn: () => {} } })
const copies = () => readdirSync(directory).filter((name) => name.includes('.kept-'))

/** A site, i.e. a database, with this key store. */
async function siteWith(keyStore: KeyStore) {
  const site = await openSite()
  site.keyStore = keyStore
  return { site, [Symbol.asyncDispose]: () => site.store.close() }
}

test('a database that knows no authorities does not cost those whose keys are in the file: a copy is kept', async () => {
  await using one = await siteWith(await openKeys())
  await startServer(one.site)
  const before = readFileSync(path, 'utf8')
  await using other = await siteWith(await openKeys())
  await startServer(other.site)
  expect(copies()).toEqual(['keys.json.kept-1'])
  expect(readFileSync(`${path}.kept-1`, 'utf8')).toBe(before)
  expect(readFileSync(path, 'utf8')).not.toBe(before)
  const said = JSON.stringify(other.site.lines)
  expect(said).toContain('keys of authorities that the database does not know')
  expect(said).toContain(`${path}.kept-1`)
})

test('keys of another database in the place of those that sign are kept too', async () => {
  await using one = await siteWith(await openKeys())
  await startServer(one.site)
  rmSync(path)
  await using other = await siteWith(await openKeys())
  await startServer(other.site)
  const foreign = readFileSync(path, 'utf8')
  one.site.keyStore = await openKeys()
  await startServer(one.site)
  expect(copies()).toEqual(['keys.json.kept-1'])
  expect(readFileSync(`${path}.kept-1`, 'utf8')).toBe(foreign)
})

test('no copy is made where nothing is replaced: at the first start, and at a start like any other', async () => {
  await using one = await siteWith(await openKeys())
  await startServer(one.site)
  one.site.keyStore = await openKeys()
  await startServer(one.site)
  expect(copies()).toEqual([])
})

test('a key that a crash left beside the authority that signs is no reason for a copy', async () => {
  const keys = await openKeys()
  await using one = await siteWith(keys)
  await startServer(one.site)
  await keys.generate('x509-CA-B', 'ec-p256')
  one.site.keyStore = await openKeys()
  await startServer(one.site)
  expect(copies()).toEqual([])
})

test('a server that cannot keep the copy does not start, and the keys are as they were', async () => {
  await using one = await siteWith(await openKeys())
  await startServer(one.site)
  const before = readFileSync(path, 'utf8')
  const keys = await openKeys()
  const keepCopy = () => Promise.reject(new Error('no room'))
  await using other = await siteWith({ ...keys, keepCopy })
  await expect(startServer(other.site)).rejects.toThrow('no room')
  expect(readFileSync(path, 'utf8')).toBe(before)
})
