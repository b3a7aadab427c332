import fc from 'fast-check'
import { expect, test } from 'vitest'
import { limitCalls } from '../../../agent/broker/call-limit.ts'

const limited = expect.objectContaining({ code: 'RATE_LIMITED' })

test('one broker cannot use up the room of another', () => {
  const admit = limitCalls({ perBroker: 2, total: 10 })
  admit(1)
  admit(1)
  expect(() => admit(1)).toThrow(limited)
  expect(() => admit(2)).not.toThrow()
})

test('all brokers together have a limit too', () => {
  const admit = limitCalls({ perBroker: 2, total: 3 })
  for (const who of [1, 2, 3]) admit(who)
  expect(() => admit(4)).toThrow('the agent has 3 open calls, which is its limit; try again later')
})

test('a call that ended twice makes room once', () => {
  const admit = limitCalls({ perBroker: 1, total: 1 })
  const call = admit(1)
  call[Symbol.dispose]()
  call[Symbol.dispose]()
  admit(1)
  expect(() => admit(2)).toThrow(limited)
})

test('whatever comes and goes, no limit is passed and no room is lost', () => {
  const steps = fc.array(fc.record({ who: fc.nat(3), isEnd: fc.boolean() }), { maxLength: 60 })
  fc.assert(
    fc.property(steps, (calls) => {
      const admit = limitCalls({ perBroker: 3, total: 5 })
      const open: { who: number; call: Disposable }[] = []
      for (const { who, isEnd } of calls) {
        if (isEnd) {
          open.shift()?.call[Symbol.dispose]()
          continue
        }
        const own = open.filter((one) => one.who === who).length
        if (own < 3 && open.length < 5) open.push({ who, call: admit(who) })
        else expect(() => admit(who)).toThrow(limited)
      }
    }),
  )
})
