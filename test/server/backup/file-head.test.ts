/** Who opens a backup and who does not. */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  fileKeyOf,
  HEAD_START_BYTES,
  MAGIC,
  makeHead,
  type Opener,
  type Openers,
  parseHead,
  readHeadStart,
} from '../../../server/backup/file-head.ts'
import { contentKey } from '../../../server/backup/sealed-stream.ts'

/** Cheap: what scrypt costs is no matter of these tests. */
const COST = 2 ** 4
const fileKey = Buffer.alloc(32, 7)
const passphrase = 'correct horse battery'
const one = generateKeyPairSync('x25519')
const other = generateKeyPairSync('x25519')
const both: Openers = { passphrase, recipients: [one.publicKey] }
const byPassphrase = (text: string): Opener => ({ kind: 'passphrase', passphrase: text })
const byKey = (pair: typeof one): Opener => ({ kind: 'private-key', privateKey: pair.privateKey })

const make = (openers: Openers) => makeHead(fileKey, openers, randomBytes, COST)
const read = (head: Buffer) => {
  const length = readHeadStart(head.subarray(0, HEAD_START_BYTES))
  return parseHead(head.subarray(HEAD_START_BYTES, HEAD_START_BYTES + length))
}

test('the passphrase opens it, and so does each recipient', async () => {
  const head = read(await make({ passphrase, recipients: [one.publicKey, other.publicKey] }))
  for (const opener of [byPassphrase(passphrase), byKey(one), byKey(other)]) {
    expect((await fileKeyOf(head, opener)).equals(fileKey)).toBe(true)
  }
})

test('a wrong passphrase and the key of somebody else are refused, and neither is quoted', async () => {
  const head = read(await make(both))
  await expect(fileKeyOf(head, byPassphrase('wrong horse battery'))).rejects.toThrow(
    /^the passphrase does not open the backup; if it is the right one, the head of the file is damaged$/,
  )
  await expect(fileKeyOf(head, byKey(other))).rejects.toThrow('of none of its recipients')
})

test('what opens a file is said when something else was given', async () => {
  const forKey = read(await make({ passphrase: undefined, recipients: [one.publicKey] }))
  await expect(fileKeyOf(forKey, byPassphrase(passphrase))).rejects.toThrow('has no passphrase')
  const forPassphrase = read(await make({ passphrase, recipients: [] }))
  await expect(fileKeyOf(forPassphrase, byKey(one))).rejects.toThrow('has no recipients')
})

test('a head that nobody could open is not made', async () => {
  await expect(make({ passphrase: undefined, recipients: [] })).rejects.toThrow('nobody could open')
  await expect(make({ passphrase: 'short', recipients: [] })).rejects.toThrow('shorter than 8')
  const recipients = Array.from({ length: 33 }, () => one.publicKey)
  await expect(make({ passphrase: undefined, recipients })).rejects.toThrow('at most 32')
})

test('neither the key of the file nor the passphrase stands in the head', async () => {
  const head = await make(both)
  expect(head.includes(fileKey)).toBe(false)
  expect(head.includes(Buffer.from(fileKey.toString('base64')))).toBe(false)
  expect(head.includes(Buffer.from(passphrase))).toBe(false)
})

test('a head with any byte changed opens nothing, or gives no key that fits another head', async () => {
  const head = await make({ passphrase, recipients: [] })
  await fc.assert(
    fc.asyncProperty(fc.nat(head.length - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
      const damaged = Buffer.from(head)
      damaged[at] = (damaged[at] ?? 0) ^ by
      // What still opens is bound to the bytes of the head by the key of the content.
      const opened = await (async () => fileKeyOf(read(damaged), byPassphrase(passphrase)))().catch(
        (error: unknown) => String(error),
      )
      if (typeof opened === 'string') expect(opened).toMatch(/backup/)
      else expect(contentKey(opened, damaged)).not.toEqual(contentKey(fileKey, head))
    }),
    { numRuns: 100 },
  )
})

test.each([
  ['nothing', Buffer.alloc(0), 'is no backup'],
  ['another file', Buffer.from('SQLite format 3, and more'), 'is no backup'],
  ['a later format', Buffer.concat([MAGIC, Buffer.from([2, 0, 0, 0, 1])]), 'is of format 2'],
  [
    'a head without an end',
    Buffer.concat([MAGIC, Buffer.from([1, 255, 255, 255, 255])]),
    'damaged',
  ],
])('%s is refused before anything is read', (_, start, why) => {
  expect(() => readHeadStart(start)).toThrow(why)
})

test.each([
  ['no JSON', 'none'],
  ['nobody', '{"keys":[]}'],
  ['an unknown kind', '{"keys":[{"kind":"rot13"}]}'],
  [
    'scrypt that would take the memory of the machine',
    `{"keys":[{"kind":"scrypt","salt":"${Buffer.alloc(16).toString('base64')}","cost":1073741824,"wrapped":"${Buffer.alloc(48).toString('base64')}"}]}`,
  ],
])('a head with %s is refused', (_, json) => {
  expect(() => parseHead(Buffer.from(json))).toThrow('the head of the backup is damaged')
})
