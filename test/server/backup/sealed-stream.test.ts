/** What a sealed stream notices: everything that was not done by who has the key. */
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  CHUNK_BYTES,
  contentKey,
  openStream,
  sealStream,
} from '../../../server/backup/sealed-stream.ts'

const SEALED = CHUNK_BYTES + 16
const head = Buffer.from('a head')
const key = contentKey(Buffer.alloc(32, 1), head)

async function* inPieces(bytes: Buffer, size: number) {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size)
}
const collect = async (pieces: AsyncIterable<Uint8Array>) => {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all)
}
const seal = (plain: Buffer, pieceSize = 10_000) =>
  collect(sealStream(key, inPieces(plain, pieceSize)))
const open = (sealed: Buffer, by = key, pieceSize = 9_999) =>
  collect(openStream(by, inPieces(sealed, pieceSize)))
const chunks = (sealed: Buffer) => {
  const all: Buffer[] = []
  for (let at = 0; at < sealed.length; at += SEALED) all.push(sealed.subarray(at, at + SEALED))
  return all
}

const plain = randomBytes(3 * CHUNK_BYTES + 100)
const sealed = await seal(plain)
const DAMAGED = /^the backup is damaged at its chunk \d+/

test.each([0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES])(
  'what was sealed opens again, %i bytes of it, whatever pieces it comes in',
  async (length) => {
    const bytes = randomBytes(length)
    for (const size of [1_000, CHUNK_BYTES, 200_000]) {
      expect((await open(await seal(bytes, size), key, size)).equals(bytes)).toBe(true)
    }
  },
)

test('a flipped bit anywhere is noticed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(sealed.length - 1), fc.nat(7), async (at, bit) => {
      const damaged = Buffer.from(sealed)
      damaged[at] = (damaged[at] ?? 0) ^ (1 << bit)
      await expect(open(damaged)).rejects.toThrow(DAMAGED)
    }),
    { numRuns: 50 },
  )
})

test('an end that comes too early is noticed at every length, at the end of a chunk above all', async () => {
  for (const length of [
    0,
    1,
    15,
    16,
    SEALED - 1,
    SEALED,
    SEALED + 1,
    3 * SEALED,
    sealed.length - 1,
  ]) {
    await expect(open(sealed.subarray(0, length))).rejects.toThrow(DAMAGED)
  }
})

describe('whole chunks', () => {
  const [one = sealed, two = sealed, three = sealed, last = sealed] = chunks(sealed)
  test.each([
    ['change places', [two, one, three, last]],
    ['are left out at the beginning', [two, three, last]],
    ['are left out in the middle', [one, three, last]],
    ['come twice', [one, one, two, three, last]],
    ['follow the last one', [one, two, three, last, last]],
    ['come after the end of a whole file', [one, two, three, last, Buffer.alloc(1)]],
  ])('that %s are noticed', async (_, order) => {
    await expect(open(Buffer.concat(order))).rejects.toThrow(DAMAGED)
  })

  test('of another file are noticed, of the same key and the same place too', async () => {
    const other = chunks(
      await collect(sealStream(contentKey(Buffer.alloc(32, 2), head), inPieces(plain, 5_000))),
    )
    await expect(open(Buffer.concat([one, other[1] ?? two, three, last]))).rejects.toThrow(
      'damaged at its chunk 1',
    )
  })
})

test('another key or another head opens nothing', async () => {
  await expect(open(sealed, contentKey(Buffer.alloc(32, 3), head))).rejects.toThrow(DAMAGED)
  await expect(
    open(sealed, contentKey(Buffer.alloc(32, 1), Buffer.from('A head'))),
  ).rejects.toThrow(DAMAGED)
})
