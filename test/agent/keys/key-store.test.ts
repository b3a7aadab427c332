import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDiskKeys } from '../../../agent/keys/disk.ts'
import { findKey, type KeyStore, otherKeyId } from '../../../agent/keys/key-store.ts'
import { openMemoryKeys } from '../../../agent/keys/memory.ts'
import { generateKey, spkiOf, toPkcs8 } from '../../../spiffe/key.ts'

let dir: string
let path: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'steeple-keys-'))
  path = join(dir, 'deep', 'keys.json')
})
afterEach(() => rmSync(dir, { recursive: true }))

const openDisk = () => openDiskKeys(join(dir, 'deep'))
const stores: readonly (readonly [string, () => Promise<KeyStore>])[] = [
  ['in memory', async () => openMemoryKeys()],
  ['on disk', openDisk],
]

test.for(stores)('a store %s begins empty and finds a key by its public half', async ([, open]) => {
  const store = await open()
  const key = await generateKey('ec-p256')
  expect(store.keys().size).toBe(0)
  expect(findKey(store, spkiOf(key))).toBeUndefined()
  await store.put('agent-svid-B', key)
  expect(findKey(store, spkiOf(key))).toEqual({ id: 'agent-svid-B', key })
})

test.for(stores)('a store %s keeps the key in use beside the next one', async ([, open]) => {
  const store = await open()
  const [first, second, third] = await Promise.all([1, 2, 3].map(() => generateKey('ec-p256')))
  if (!first || !second || !third) throw new Error('no keys')
  await store.put(otherKeyId(undefined), first)
  const inUse = findKey(store, spkiOf(first))?.id
  await store.put(otherKeyId(inUse), second)
  expect(store.keys().size).toBe(2)
  await store.put(otherKeyId(findKey(store, spkiOf(second))?.id), third)
  expect(findKey(store, spkiOf(first))).toBeUndefined()
  expect(findKey(store, spkiOf(second))).toBeDefined()
})

test('keys on disk are there after a restart, for the agent alone', async () => {
  const key = await generateKey('ec-p256')
  await (await openDisk()).put('agent-svid-A', key)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(findKey(await openDisk(), spkiOf(key))?.id).toBe('agent-svid-A')
  expect((await openDisk()).persistent).toBe(true)
  expect(openMemoryKeys().persistent).toBe(false)
})

test('a file written by SPIRE’s disk KeyManager is read, and its other keys are kept', async () => {
  const key = await generateKey('ec-p256')
  const base64 = toPkcs8(key).toString('base64')
  await openDisk()
  writeFileSync(
    path,
    `{\n\t"keys": {\n\t\t"agent-svid-B": "${base64}",\n\t\t"other": "aGk="\n\t}\n}`,
  )
  const store = await openDisk()
  expect(findKey(store, spkiOf(key))?.id).toBe('agent-svid-B')
  await store.put('agent-svid-A', await generateKey('ec-p256'))
  expect(Object.keys(JSON.parse(readFileSync(path, 'utf8')).keys).sort()).toEqual([
    'agent-svid-A',
    'agent-svid-B',
    'other',
  ])
})

test.for([
  ['not JSON', '{"keys":'],
  ['not base64', '{"keys":{"agent-svid-A":"?"}}'],
  ['no key', '{"keys":{"agent-svid-A":"aGVsbG8="}}'],
] as const)('refuses a key file that is %s, and says what to do', async ([, text]) => {
  await openDisk()
  writeFileSync(path, text)
  await expect(openDisk()).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/keys\.json is damaged.*new join token$/),
  })
})

test('refuses a directory that cannot be made', async () => {
  writeFileSync(join(dir, 'deep'), 'a file')
  await expect(openDisk()).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})
