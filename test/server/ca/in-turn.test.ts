import { expect, test } from 'vitest'
import { createTurns } from '../../../server/ca/in-turn.ts'

test('jobs run one at a time, in the order of the calls, also after one has failed', async () => {
  const inTurn = createTurns('test')
  const seen: string[] = []
  const job = (name: string, error?: Error) => async () => {
    seen.push(`${name} begins`)
    await Promise.resolve()
    seen.push(`${name} ends`)
    if (error !== undefined) throw error
    return name
  }
  const results = await Promise.allSettled([
    inTurn(job('one')),
    inTurn(job('two', new Error('two failed'))),
    inTurn(job('three')),
  ])
  expect(seen).toEqual([
    'one begins',
    'one ends',
    'two begins',
    'two ends',
    'three begins',
    'three ends',
  ])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
})

test('the hundred-and-first job that waits is refused, and there is room again afterwards', async () => {
  const inTurn = createTurns('test')
  const { promise: blocked, resolve: release } = Promise.withResolvers<void>()
  const waiting = Array.from({ length: 100 }, () => inTurn(() => blocked))
  await expect(inTurn(async () => {})).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  release()
  await Promise.all(waiting)
  await expect(inTurn(async () => 'done')).resolves.toBe('done')
})
