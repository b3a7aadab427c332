/** What turns must do on every implementation of the store, seen from one server. */
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Turn, Turns } from '../../../server/store/turns.ts'

export interface ClosableTurns extends Turns {
  close(): Promise<void>
}

const unavailable = (message: RegExp) =>
  expect.objectContaining({ code: 'UNAVAILABLE', message: expect.stringMatching(message) })

/** Work that goes on until its turn is over. */
export async function untilOver({ signal }: Turn): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}

/** @param open turns of a server that is alone; the contract closes them */
export function turnsContract(name: string, open: () => Promise<ClosableTurns>): void {
  describe(name, () => {
    let turns: ClosableTurns
    let stop: AbortController
    beforeEach(async () => {
      turns = await open()
      stop = new AbortController()
    })
    afterEach(async () => {
      stop.abort()
      await turns.close()
    })

    test('a turn that nobody else wants is worked in, and given back when the work has ended', async () => {
      const names: string[] = []
      await turns.hold('a', async () => void names.push('first'), stop.signal)
      await turns.hold('a', async () => void names.push('second'), stop.signal)
      expect(names).toEqual(['first', 'second'])
      expect(turns.standing()).toEqual([])
    })

    test('who holds a turn is shown while it is held', async () => {
      const begun = Promise.withResolvers<void>()
      const holding = turns.hold(
        'a',
        async (turn) => {
          begun.resolve()
          await untilOver(turn)
        },
        stop.signal,
      )
      await begun.promise
      expect(turns.standing()).toMatchObject([{ name: 'a', state: 'held' }])
      expect(await turns.holders()).toMatchObject([{ name: 'a', isThisServer: true }])
      stop.abort()
      await holding
      expect(turns.standing()).toEqual([])
    })

    test('turns of different names are held side by side', async () => {
      const both = Promise.withResolvers<void>()
      let working = 0
      const work = async () => {
        working += 1
        if (working === 2) both.resolve()
        await both.promise
      }
      await Promise.all(['a', 'b'].map((name) => turns.hold(name, work, stop.signal)))
      expect(working).toBe(2)
    })

    test('two callers of one process that want the same turn follow each other', async () => {
      let working = 0
      const seen: number[] = []
      const work = async () => {
        working += 1
        seen.push(working)
        await new Promise(setImmediate)
        working -= 1
      }
      await Promise.all([1, 2, 3].map(() => turns.hold('a', work, stop.signal)))
      expect(seen).toEqual([1, 1, 1])
    })

    test('who gives up waiting does not begin, and nobody waits for them', async () => {
      const begun = Promise.withResolvers<void>()
      const holding = turns.hold(
        'a',
        async (turn) => {
          begun.resolve()
          await untilOver(turn)
        },
        stop.signal,
      )
      await begun.promise
      const impatient = new AbortController()
      let hasBegun = false
      const waiting = turns.hold(
        'a',
        async () => {
          hasBegun = true
        },
        impatient.signal,
      )
      impatient.abort()
      await waiting
      stop.abort()
      await holding
      expect(hasBegun).toBe(false)
    })

    test('a turn that is wanted no more before it is asked for is not begun', async () => {
      stop.abort()
      let hasBegun = false
      await turns.hold(
        'a',
        async () => {
          hasBegun = true
        },
        stop.signal,
      )
      expect(hasBegun).toBe(false)
    })

    test('a write after the end of a turn is refused', async () => {
      let mustHold = () => {}
      await turns.hold(
        'a',
        async (turn) => {
          mustHold = turn.mustHold
          turn.mustHold()
          stop.abort()
          expect(turn.signal.aborted).toBe(true)
        },
        stop.signal,
      )
      expect(mustHold).toThrow(unavailable(/turn "a" is over/))
    })

    test('whoever held a turn is not done before the work has ended', async () => {
      const order: string[] = []
      const begun = Promise.withResolvers<void>()
      const holding = turns
        .hold(
          'a',
          async (turn) => {
            begun.resolve()
            await untilOver(turn)
            await new Promise(setImmediate)
            order.push('work ended')
          },
          stop.signal,
        )
        .then(() => order.push('turn given back'))
      await begun.promise
      stop.abort()
      await holding
      expect(order).toEqual(['work ended', 'turn given back'])
    })

    test('what the work throws is thrown, and the turn is free for the next', async () => {
      const failing = turns.hold('a', () => Promise.reject(new Error('no luck')), stop.signal)
      await expect(failing).rejects.toThrow('no luck')
      let hasBegun = false
      await turns.hold(
        'a',
        async () => {
          hasBegun = true
        },
        stop.signal,
      )
      expect(hasBegun).toBe(true)
    })

    test('closing ends the work, waits for it, and refuses whoever wants a turn afterwards', async () => {
      const begun = Promise.withResolvers<void>()
      let hasEnded = false
      const holding = turns.hold(
        'a',
        async (turn) => {
          begun.resolve()
          await untilOver(turn)
          await new Promise(setImmediate)
          hasEnded = true
        },
        stop.signal,
      )
      await begun.promise
      await turns.close()
      expect(hasEnded).toBe(true)
      await holding
      const late = turns.hold('a', untilOver, stop.signal)
      await expect(late).rejects.toThrow(unavailable(/closed/))
    })

    test('a hundred callers wait for one turn, and the next one is refused', async () => {
      const wanting = Array.from({ length: 100 }, () => turns.hold('a', untilOver, stop.signal))
      const last = turns.hold('a', untilOver, stop.signal)
      await expect(last).rejects.toThrow(unavailable(/100 callers wait/))
      stop.abort()
      await Promise.all(wanting)
    })
  })
}
