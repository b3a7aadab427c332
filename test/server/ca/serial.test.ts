import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { randomSerial, serialSource } from '../../../server/ca/serial.ts'

test('serial numbers that are drawn together are never the same, over many draws', () => {
  const next = serialSource(randomBytes)
  const serials = Array.from({ length: 1_000 }, () => Buffer.from(next()).toString('hex'))
  expect(new Set(serials).size).toBe(1_000)
  expect(serials.every((serial) => serial.length === 32)).toBe(true)
})

test('each random byte is in one serial number only', () => {
  let drawn = 0
  const counting = (size: number) => Uint8Array.from({ length: size }, () => ++drawn % 251)
  const next = serialSource(counting)
  const bytes = Array.from({ length: 200 }, () => [...next()]).flat()
  expect(bytes).toEqual(bytes.map((_, at) => (at + 1) % 251))
})

test('a serial number of zeros is never given', () => {
  let isFirst = true
  const zerosFirst = (size: number) => {
    const bytes = randomBytes(size)
    if (isFirst) bytes.fill(0, 0, 16)
    isFirst = false
    return bytes
  }
  expect(serialSource(zerosFirst)().some((byte) => byte !== 0)).toBe(true)
  isFirst = true
  expect(randomSerial(zerosFirst).some((byte) => byte !== 0)).toBe(true)
})
