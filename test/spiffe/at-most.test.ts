import { expect, test } from 'vitest'
import { atMost } from '../../spiffe/at-most.ts'

test('no more than the limit run at once, in the order in which they came', async () => {
  const run = atMost(2)
  const ends: (() => void)[] = []
  const begun: number[] = []
  const all = [0, 1, 2, 3].map((n) =>
    run(() => {
      begun.push(n)
      return new Promise<number>((end) => ends.push(() => end(n)))
    }),
  )
  expect(begun).toEqual([0, 1])
  ends[1]?.()
  await expect.poll(() => begun).toEqual([0, 1, 2])
  ends[0]?.()
  await expect.poll(() => begun).toEqual([0, 1, 2, 3])
  ends[2]?.()
  ends[3]?.()
  expect(await Promise.all(all)).toEqual([0, 1, 2, 3])
})

test('a work that fails gives its place to the next', async () => {
  const run = atMost(1)
  const failing = run(() => Promise.reject(new Error('no')))
  const next = run(async () => 'yes')
  await expect(failing).rejects.toThrow('no')
  expect(await next).toBe('yes')
  expect(await run(async () => 'again')).toBe('again')
})
