import fc from 'fast-check'
import { expect, test } from 'vitest'
import { followMessages } from '../../proto/begun-messages.ts'

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

test('messages before the last two are forgotten', () => {
  const follow = followMessages()
  expect(follow(message(100))).toBe(105)
  expect(follow(message(10))).toBe(120)
  expect(follow(message(0))).toBe(20)
  expect(follow(Buffer.concat([message(0), message(0), message(0), message(1, 2)]))).toBe(16)
})

test('however the bytes are cut, the count is the same at the end', () => {
  const lengths = fc.array(fc.nat(40), { maxLength: 8 })
  fc.assert(
    fc.property(lengths, fc.nat(30), fc.integer({ min: 1, max: 9 }), (whole, begun, size) => {
      const bytes = Buffer.concat([...whole.map((one) => message(one)), message(begun, begun + 1)])
      const follow = followMessages()
      let held = 0
      for (let at = 0; at < bytes.length; at += size) held = follow(bytes.subarray(at, at + size))
      const kept = whole.slice(-2).reduce((sum, one) => sum + 5 + one, 0)
      expect(held).toBe(kept + 5 + begun)
    }),
  )
})
