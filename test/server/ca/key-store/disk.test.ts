import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDiskKeyStore } from '../../../../server/ca/key-store/disk.ts'
import { generateKey, parsePkcs8, toPkcs8 } from '../../../../spiffe/key.ts'
import { keyStoreContract } from './contract.ts'

let root = ''
let files = 0
const warnings: unknown[] = []
const log = { warn: (...line: unknown[]) => warnings.push(line) }

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'steeple-keys-'))
})
afterAll(() => rm(root, { recursive: true }))

const newPath = async () => {
  const directory = join(root, String(files++))
  await mkdir(directory)
  return join(directory, 'keys.json')
}

keyStoreContract('disk key store', async () => openDiskKeyStore({ path: await newPath(), log }))

/** As a SPIRE 1.15 server writes it: tabs, sorted, PKCS#8 in base64. */
const spireFile = (keys: Record<string, string>) =>
  `{\n\t"keys": {\n${Object.entries(keys)
    .map(([keyId, der]) => `\t\t"${keyId}": "${der}"`)
    .join(',\n')}\n\t}\n}`

test('keys are there after the file is opened again', async () => {
  const path = await newPath()
  const before = await openDiskKeyStore({ path, log })
  const ca = await before.generate('x509-CA-A', 'ec-p256')
  const jwt = await before.generate('JWT-Signer-A', 'rsa-2048')
  const after = await openDiskKeyStore({ path, log })
  expect((await after.load('x509-CA-A'))?.equals(ca)).toBe(true)
  expect((await after.load('JWT-Signer-A'))?.equals(jwt)).toBe(true)
})

test('the file of a SPIRE server is read, its other keys are kept, and the form stays the same', async () => {
  const path = await newPath()
  const der = async () => toPkcs8(await generateKey('ec-p256')).toString('base64')
  const theirs = {
    'JWT-Signer-A': await der(),
    'WIT-Signer-A': await der(),
    'x509-CA-A': await der(),
  }
  await writeFile(path, spireFile(theirs), { mode: 0o600 })

  const store = await openDiskKeyStore({ path, log })
  const loaded = await store.load('x509-CA-A')
  expect(loaded?.equals(parsePkcs8(Buffer.from(theirs['x509-CA-A'], 'base64')))).toBe(true)

  const made = await store.generate('x509-CA-B', 'ec-p256')
  const ours = { ...theirs, 'x509-CA-B': toPkcs8(made).toString('base64') }
  expect(await readFile(path, 'utf8')).toBe(spireFile(ours))
})

test('the file is readable by its owner only, whatever is left of a crash, and nothing stays beside it', async () => {
  const path = await newPath()
  await writeFile(`${path}.tmp`, 'half of a', { mode: 0o644 })
  const store = await openDiskKeyStore({ path, log })
  await store.generate('x509-CA-A', 'ec-p256')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await readdir(join(path, '..'))).toEqual(['keys.json'])
})

test('a file that others can read is reported, and private again after the next key', async () => {
  const path = await newPath()
  await writeFile(path, '{"keys":{}}')
  await chmod(path, 0o644)
  warnings.length = 0
  const store = await openDiskKeyStore({ path, log })
  expect(warnings).toEqual([[{ path }, 'Keys file can be read by others, change its mode to 0600']])
  await store.generate('x509-CA-A', 'ec-p256')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
})

test.for([
  ['is empty', ''],
  ['is no JSON', '{"keys": {'],
  ['has no keys', '{}'],
  ['has a list of keys', '{"keys": []}'],
  ['has a key that is no text', '{"keys": {"x509-CA-A": 1}}'],
  ['has a key that is no base64', '{"keys": {"x509-CA-A": "secret!"}}'],
  ['has a key that is no PKCS#8', '{"keys": {"x509-CA-A": "c2VjcmV0"}}'],
] as const)('a file that %s is refused without quoting it', async ([, text]) => {
  const path = await newPath()
  await writeFile(path, text, { mode: 0o600 })
  const opening = openDiskKeyStore({ path, log })
  await expect(opening).rejects.toMatchObject({
    name: 'IdentityError',
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(
      /keys\.json is damaged: .*; restore it, or remove it to let the server make new authorities$/,
    ),
  })
  // Whatever prints the error prints its cause too.
  const said = inspect(await opening.catch((error: unknown) => error))
  for (const quoted of ['secret!', 'c2VjcmV0']) expect(said).not.toContain(quoted)
})

test('a file of more than a mebibyte is refused', async () => {
  const path = await newPath()
  await writeFile(path, ' '.repeat(1024 * 1024 + 1), { mode: 0o600 })
  await expect(openDiskKeyStore({ path, log })).rejects.toThrow(`cannot read ${path}: `)
})

test('a directory in place of the file is refused', async () => {
  const path = await newPath()
  await mkdir(path)
  await expect(openDiskKeyStore({ path, log })).rejects.toThrow(`cannot read ${path}: `)
})

test('a key that cannot be written is not there: neither in the store nor for the caller', async () => {
  const path = join(await newPath(), 'missing', 'keys.json')
  const store = await openDiskKeyStore({ path, log })
  await expect(store.generate('x509-CA-A', 'ec-p256')).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(/^cannot write keys file .*its directory must exist/),
  })
  expect(await store.load('x509-CA-A')).toBeUndefined()
})

test('a copy of all keys is kept beside the file before they are replaced, for its owner alone', async () => {
  const path = await newPath()
  const store = await openDiskKeyStore({ path, log })
  await store.generate('x509-CA-A', 'ec-p256')
  const before = await readFile(path, 'utf8')
  const kept = await store.keepCopy()
  await store.generate('x509-CA-A', 'ec-p256')
  expect(kept).toBe(`${path}.kept-1`)
  expect(await readFile(`${path}.kept-1`, 'utf8')).toBe(before)
  expect((await stat(`${path}.kept-1`)).mode & 0o777).toBe(0o600)
})
