import { once } from 'node:events'
import { expect, test } from 'vitest'
import { runLoops } from '../../spiffe/running-loops.ts'

const untilStopped = async (signal: AbortSignal) => void (await once(signal, 'abort'))

test('disposing stops every loop and waits for it', async () => {
  const ended: string[] = []
  {
    await using _loops = runLoops(
      ['a', 'b'].map((name) => async (signal: AbortSignal) => {
        await untilStopped(signal)
        ended.push(name)
      }),
    )
    expect(ended).toEqual([])
  }
  expect(ended).toEqual(['a', 'b'])
})

test('a loop that fails is heard of, and the others are still stopped', async () => {
  let stopped = false
  const loops = runLoops([
    async () => {
      throw new Error('a bug')
    },
    async (signal) => {
      await untilStopped(signal)
      stopped = true
    },
  ])
  await expect(loops.failed).rejects.toThrow('a bug')
  await loops[Symbol.asyncDispose]()
  expect(stopped).toBe(true)
})
