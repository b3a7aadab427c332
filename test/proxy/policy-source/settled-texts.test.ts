import { expect, test } from 'vitest'
import { settledTexts } from '../../../proxy/policy-source/settled-texts.ts'
import { FakeClock } from '../../fakes/clock.ts'

const files = (...texts: readonly string[]) =>
  texts.map((text, at) => ({ name: `${at}.yaml`, text }))

/** Reads what is scripted, the last of it again and again. */
function start(before: readonly string[], ...reads: readonly (readonly string[])[]) {
  const clock = new FakeClock()
  let count = 0
  const read = async () => {
    const now = reads[Math.min(count, reads.length - 1)] ?? []
    count += 1
    return files(...now)
  }
  const settled = settledTexts(files(...before), read, clock, new AbortController().signal)
  settled.catch(() => {}) // each test looks at it later
  return { clock, settled, count: () => count }
}

test('what is in force already is read once', async () => {
  const { settled, count } = start(['a'], ['a'])
  expect(await settled).toEqual(files('a'))
  expect(count()).toBe(1)
})

test('a file that is emptied before it is filled is never taken for an empty one', async () => {
  const { clock, settled } = start(['a'], [''], ['half'], ['whole'])
  await clock.sleepers(1)
  clock.advance(1_000)
  await clock.sleepers(1)
  clock.advance(50)
  await clock.sleepers(1)
  clock.advance(50)
  expect(await settled).toEqual(files('whole'))
})

test.each([
  ['empty', ['']],
  ['gone', []],
] as const)(
  'a file that is %s is believed to be after a second, and not before',
  async (_, now) => {
    const { clock, settled, count } = start(['a'], now)
    await clock.sleepers(1)
    clock.advance(999)
    expect(count()).toBe(1)
    clock.advance(1)
    expect(await settled).toEqual(files(...now))
  },
)

test('a file that was added is believed when it has stayed the same for a moment', async () => {
  const { clock, settled } = start(['a'], ['a', 'b'])
  await clock.sleepers(1)
  clock.advance(50)
  expect(await settled).toEqual(files('a', 'b'))
})

test('files that never come to rest are refused, with what to do', async () => {
  const reads = Array.from({ length: 30 }, (_, at) => [`version ${at}`])
  const { clock, settled } = start(['a'], ...reads)
  for (let look = 0; look < 20; look += 1) {
    await clock.sleepers(1)
    clock.advance(50)
  }
  await expect(settled).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('rename'),
  })
})
