import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DECODED_BYTES, followMessages } from '../../proto/follow-messages.ts'

/** @param claimed the length that its prefix says */
const message = (bytes: number, claimed = bytes): Buffer => {
  const framed = Buffer.alloc(5 + bytes)
  framed.writeUInt32BE(claimed, 1)
  return framed
}

test('a message that never ends counts with all that has come of it', () => {
  const follow = followMessages()
  expect(follow(message(100, 0xff_ff_ff_ff))).toBe(105)
  expect(follow(Buffer.alloc(1_000))).toBe(1_105)
})

test('a prefix that has only begun counts too', () => {
  expect(followMessages()(Buffer.alloc(3))).toBe(3)
})

test('of messages that ended in pieces before, the last two count', () => {
  const follow = followMessages()
  expect(follow(message(100))).toBe(105 + DECODED_BYTES)
  expect(follow(message(10))).toBe(120 + 2 * DECODED_BYTES)
  expect(follow(message(0))).toBe(125 + 3 * DECODED_BYTES)
  expect(follow(message(0))).toBe(25 + 3 * DECODED_BYTES)
})

test('all messages that end in one piece count, however small, until another ends in a later one', () => {
  const follow = followMessages()
  const piece = Buffer.concat(Array<Buffer>(1_000).fill(message(0)))
  expect(follow(piece)).toBe(1_000 * (5 + DECODED_BYTES))
  expect(follow(message(0).subarray(0, 4))).toBe(1_000 * (5 + DECODED_BYTES) + 4)
  expect(follow(Buffer.alloc(1))).toBe(3 * (5 + DECODED_BYTES))
})

test('however the bytes are cut, what has begun counts, and between two messages and all', () => {
  const lengths = fc.array(fc.nat(40), { maxLength: 8 })
  const sum = (all: readonly number[]) =>
    all.reduce((bytes, one) => bytes + 5 + one + DECODED_BYTES, 0)
  fc.assert(
    fc.property(lengths, fc.nat(30), fc.integer({ min: 1, max: 9 }), (whole, begun, size) => {
      const bytes = Buffer.concat([...whole.map((one) => message(one)), message(begun, begun + 1)])
      const follow = followMessages()
      let held = 0
      for (let at = 0; at < bytes.length; at += size) held = follow(bytes.subarray(at, at + size))
      expect(held).toBeGreaterThanOrEqual(sum(whole.slice(-2)) + 5 + begun)
      expect(held).toBeLessThanOrEqual(sum(whole) + 5 + begun)
    }),
  )
})
