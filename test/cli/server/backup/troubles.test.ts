/** What keeps a backup from being made or restored, and that nothing is written then. */
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../../../server/running-server.ts'
import { run } from '../../run.ts'
import { type BackupPlace, backupPlace, PASSPHRASE } from './backup-place.ts'

const from = backupPlace()
const file = from.file('steeple.backup')
let server: TestServer
let digest = ''

const diskKeys = (dir: string) => ({
  dir,
  config: { keyManager: { kind: 'disk', keysPath: join(dir, 'keys.json') } } as const,
})
const backup = (words: readonly string[]) => run(['server', 'backup', ...words])
const online = () => ['-socketPath', server.socketPath]
const restore = (to: BackupPlace, words: readonly string[] = [], path = file) =>
  run(['server', 'restore', path, '-config', to.config, '-identity', from.identity, ...words])

beforeAll(async () => {
  server = await startTestServer(diskKeys(from.dir))
  const made = await backup([file, '-recipient', from.recipient, ...online()])
  expect([made.code, made.err]).toEqual([0, ''])
  digest = /Digest: (\w+)/.exec(made.out)?.[1] ?? ''
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  from[Symbol.dispose]()
})

/** Nothing but what the test itself put there. */
const writtenIn = ({ dir }: BackupPlace) =>
  readdirSync(dir).filter((name) => /sqlite|keys\.json/.test(name))

test.each([
  ['the head', () => 40],
  ['the wrapped key', () => 150],
  ['the first chunk', (bytes: Buffer) => bytes.indexOf('}') + 20],
  ['the last tag', (bytes: Buffer) => bytes.length - 1],
])('a file with a changed byte in %s is refused and nothing is written', async (_, place) => {
  using to = backupPlace()
  const bytes = readFileSync(file)
  const at = place(bytes)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(to.file('damaged'), bytes)
  const { code, err, out } = await restore(to, [], to.file('damaged'))
  expect([code, out]).toEqual([1, ''])
  expect(err).toMatch(/^Error: the (backup|head|private key).*damaged/)
  expect(writtenIn(to)).toEqual([])
})

test.each([
  ['-config', 'x.conf', '-socketPath', '/x.sock'],
  ['-config', 'x.conf', '-instance', 'x'],
])('a backup by %s %s takes no %s %s beside it', async (...words) => {
  const { code, err } = await backup([from.file('none'), '-recipient', from.recipient, ...words])
  expect([code, err]).toEqual([1, expect.stringContaining('or by -config when it is stopped')])
  expect(existsSync(from.file('none'))).toBe(false)
})

test('-expandEnv without a configuration to expand is refused', async () => {
  const words = ['-recipient', from.recipient, '-expandEnv', ...online()]
  const { code, err } = await backup([from.file('none'), ...words])
  expect([code, err]).toEqual([1, expect.stringContaining('-expandEnv is for the file of -config')])
})

test('a restore that only verifies is not forced', async () => {
  using to = backupPlace()
  const { code, err } = await restore(to, ['-verify', '-force'])
  expect([code, err]).toEqual([1, expect.stringContaining('nothing to -force')])
})

test('a file that was cut off is refused, and so is one that is no backup', async () => {
  using to = backupPlace()
  writeFileSync(to.file('short'), readFileSync(file).subarray(0, -1))
  expect((await restore(to, [], to.file('short'))).err).toContain('is damaged at its chunk')
  expect((await restore(to, [], to.config)).err).toContain('is no backup of a steeple server')
  expect((await restore(to, [], to.file('none'))).err).toMatch(/^Error: cannot read .*ENOENT/)
  expect(writtenIn(to)).toEqual([])
})

test('what does not open it is refused, and never quoted', async () => {
  using to = backupPlace()
  const config = ['-config', to.config]
  const words = ['server', 'restore', file, ...config]
  const other = await run([...words, '-identity', to.identity])
  expect(other.err).toContain('is of none of its recipients')
  const byPassphrase = await run([...words, '-passphraseFile', to.passphraseFile])
  expect(byPassphrase.err).toBe(
    'Error: the backup has no passphrase: it opens with the private key of a recipient\n',
  )
  expect(other.err + byPassphrase.err).not.toContain(PASSPHRASE)
  const both = await run([...words, '-identity', to.identity, '-passphraseFile', to.passphraseFile])
  expect(both.err).toContain('either a -passphraseFile or an -identity')
  expect((await run(words)).err).toContain('either a -passphraseFile or an -identity')
})

test('a backup of another trust domain or another digest is refused', async () => {
  using to = backupPlace({ trustDomain: 'example.com' })
  expect(await restore(to)).toEqual({
    ...{ code: 1, out: '' },
    err: 'Error: the backup is of trust domain example.org, expected example.com as the configuration says\n',
  })
  using same = backupPlace()
  const refused = await restore(same, ['-digest', `${digest.slice(1)}0`])
  expect(refused.err).toMatch(/^Error: the backup has digest \w+, expected \w+\n$/)
  expect((await restore(same, ['-digest', digest.toUpperCase(), '-verify'])).code).toBe(0)
  expect([...writtenIn(to), ...writtenIn(same)]).toEqual([])
})

test('other keys are not overwritten unasked, and the same ones are no obstacle', async () => {
  using to = backupPlace()
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const der = privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64')
  const keys = JSON.stringify({ keys: { 'x509-CA-A': der } })
  writeFileSync(to.file('keys.json'), keys, { mode: 0o600 })
  const refused = await restore(to)
  expect(refused.err).toMatch(/not empty: it has the 1 keys in .*keys\.json; -force removes that/)
  expect(readFileSync(to.file('keys.json'), 'utf8')).toBe(keys)
  // as a restore that was killed between the keys and the store leaves it
  writeFileSync(to.file('keys.json'), readFileSync(from.file('keys.json')), { mode: 0o600 })
  expect((await restore(to)).code).toBe(0)
})

test('neither a backup by configuration nor a restore gets at the store of a running server', async () => {
  const words = [from.file('second'), '-config', from.config, '-recipient', from.recipient]
  const offline = await backup(words)
  expect([offline.code, offline.err]).toEqual([
    1,
    expect.stringContaining('another server has it open'),
  ])
  const over = await restore(from, ['-force'])
  expect([over.code, over.err]).toEqual([1, expect.stringContaining('another server has it open')])
  expect(existsSync(from.file('second'))).toBe(false)
})

test('a server that is stopped is backed up by its configuration, keys in memory are said to be missing', async () => {
  using place = backupPlace({ keyManager: 'memory' })
  const memory = { dir: place.dir, config: { keyManager: { kind: 'memory' } } as const }
  await (await startTestServer(memory)).stop()
  const path = place.file('offline')
  const made = await backup([path, '-config', place.config, '-recipient', place.recipient])
  expect([made.code, made.err]).toEqual([0, ''])
  expect(made.out).toContain('CA keys: none; the server that made it kept them in memory')
  using to = backupPlace()
  const words = ['server', 'restore', path, '-config', to.config, '-identity', place.identity]
  const restored = await run(words)
  expect([restored.code, restored.err]).toEqual([
    0,
    expect.stringContaining(
      'Warning: the backup holds no CA keys: the server makes new authorities\n',
    ),
  ])
  // and a server starts from it: agents still believe the old authorities beside its new ones
  const next = await startTestServer(diskKeys(to.dir))
  await next.stop()
})

test.each([
  ['nobody', [], 'nobody could open the backup'],
  [
    'a passphrase of a few letters',
    ['-passphraseFile', '-'],
    'the passphrase in standard input is too short',
  ],
  [
    'somebody by a private key',
    ['-recipient', from.identity],
    'holds a private key: name the public one',
  ],
  ['somebody by no key', ['-recipient', from.config], 'holds no public key in PEM'],
])('a backup for %s is not made', async (_, words, why) => {
  const { code, err } = await run(['server', 'backup', from.file('none'), ...words, ...online()], {
    input: 'short\n',
  })
  expect([code, err]).toEqual([1, expect.stringContaining(why)])
  expect(existsSync(from.file('none'))).toBe(false)
})

test('a place that cannot be written is said, and the server can be backed up again', async () => {
  const words = ['-recipient', from.recipient, ...online()]
  const { code, err } = await backup([from.file('no/such/place'), ...words])
  expect([code, err]).toEqual([1, expect.stringMatching(/^Error: cannot write .*ENOENT/)])
  expect((await backup([from.file('again'), ...words])).code).toBe(0)
})

test('what is restored over a bundle that has lost authorities says which come back', async () => {
  using to = backupPlace()
  await (await startTestServer(diskKeys(to.dir))).stop()
  const forced = await restore(to, ['-force'])
  expect([forced.code, forced.err]).toEqual([
    0,
    expect.stringMatching(
      /Warning: these authorities are not in the present bundle and come back: [0-9a-f]{40}, \w+\n/,
    ),
  ])
})
