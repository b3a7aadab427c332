import fc from 'fast-check'
import { expect, test } from 'vitest'
import { refusalOf, shareOut } from '../../proto/share-out.ts'

const root = (pid: number) => ({ pid, uid: 0 })

test('a process that holds its share is refused more, and another one is not', () => {
  const shares = shareOut({ perProcess: 2, total: 100 })
  shares.hold(root(1), 2)
  expect(shares.excess(root(1), 1)).toEqual({ whose: 'process', id: 1, held: 2, limit: 2 })
  expect(shares.excess(root(2), 1)).toBeUndefined()
})

test('something that is larger than what a process may still hold is refused', () => {
  const shares = shareOut({ perProcess: 10, total: 100 })
  shares.hold(root(1), 8)
  expect(shares.excess(root(1), 2)).toBeUndefined()
  expect(shares.excess(root(1), 3)).toMatchObject({ held: 8, limit: 10 })
})

test('the share of each shrinks to what is left, so a newcomer finds some', () => {
  const shares = shareOut({ perProcess: 60, total: 100 })
  shares.hold(root(1), 60)
  shares.hold(root(2), 20)
  expect(shares.excess(root(2), 1)).toMatchObject({ whose: 'process', held: 20, limit: 20 })
  expect(shares.excess(root(3), 1)).toBeUndefined()
})

test('one user with many processes leaves a ninth to the others', () => {
  const shares = shareOut({ perProcess: 1, total: 900 })
  let pid = 1
  for (; shares.excess({ pid, uid: 1_000 }, 1) === undefined; pid += 1) {
    shares.hold({ pid, uid: 1_000 }, 1)
  }
  expect(shares.excess({ pid, uid: 1_000 }, 1)).toMatchObject({ whose: 'user', id: 1_000 })
  expect(shares.heldByUser(1_000)).toBe(800)
  expect(shares.excess({ pid, uid: 1_001 }, 1)).toBeUndefined()
})

test('what is counted beyond the bounds leaves nothing, not less than nothing', () => {
  const shares = shareOut({ perProcess: 5, total: 5 })
  shares.hold(root(1), 8)
  expect(shares.excess(root(2), 1)).toMatchObject({ held: 0, limit: 0 })
  shares.release(root(1), 8)
  expect(shares.excess(root(2), 5)).toBeUndefined()
})

test('a refusal says who has how much, what the limit is, and what to do', () => {
  const excess = { whose: 'user', id: 7, held: 30, limit: 20 } as const
  expect(refusalOf(excess, 'open streams', 'close some')).toMatchObject({
    code: 'RATE_LIMITED',
    message: 'user 7 has 30 open streams, the limit is 20; close some',
  })
})

test('whoever takes whatever is let in, no bound is passed, and all of it comes back', () => {
  const steps = fc.array(
    fc.record({ pid: fc.nat(5), uid: fc.nat(2), amount: fc.integer({ min: 1, max: 9 }) }),
    { maxLength: 80 },
  )
  fc.assert(
    fc.property(steps, (wishes) => {
      const shares = shareOut({ perProcess: 20, total: 50 })
      const taken = wishes.filter((who) => {
        if (shares.excess(who, who.amount) !== undefined) return false
        shares.hold(who, who.amount)
        expect(shares.heldBy(who.pid)).toBeLessThanOrEqual(20)
        return true
      })
      expect(taken.reduce((sum, { amount }) => sum + amount, 0)).toBeLessThanOrEqual(50)
      for (const who of taken) shares.release(who, who.amount)
      expect(shares.excess({ pid: 9, uid: 9 }, 20)).toBeUndefined()
    }),
  )
})
