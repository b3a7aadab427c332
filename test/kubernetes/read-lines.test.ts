import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readLines } from '../../kubernetes/read-lines.ts'

async function* streamOf(chunks: readonly Buffer[]) {
  yield* chunks
}

async function linesOf(chunks: readonly Buffer[], maxBytes = 1_000): Promise<string[]> {
  const lines: string[] = []
  for await (const line of readLines(streamOf(chunks), maxBytes)) lines.push(line)
  return lines
}

const line = fc
  .string({ unit: 'grapheme', maxLength: 30 })
  .filter((text) => !/\s/.test(text) && text !== '')

test('wherever the stream is cut, the lines are the same', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 10 }),
      fc.array(fc.nat(50), { maxLength: 20 }),
      async (lines, sizes) => {
        const bytes = Buffer.from(lines.map((one) => `${one}\n`).join(''))
        const chunks: Buffer[] = []
        let at = 0
        for (const size of [...sizes, bytes.length]) {
          chunks.push(bytes.subarray(at, at + size))
          at += size
        }
        expect(await linesOf(chunks)).toEqual(lines)
      },
    ),
  )
})

test('empty lines are left out, and so is a last one that was cut', async () => {
  expect(await linesOf([Buffer.from('a\n\r\n\nb\nc')])).toEqual(['a', 'b'])
})

test('a line that is too long is refused before it is complete', async () => {
  const chunks = Array.from({ length: 11 }, () => Buffer.alloc(100, 'x'))
  await expect(linesOf(chunks)).rejects.toThrow('longer than 1000 bytes')
})

test('what the stream fails with is thrown', async () => {
  async function* failing() {
    yield Buffer.from('a\n')
    throw new Error('broken off')
  }
  const reading = async () => {
    for await (const _ of readLines(failing(), 10)) expect(_).toBe('a')
  }
  await expect(reading()).rejects.toThrow('broken off')
})
