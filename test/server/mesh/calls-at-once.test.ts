import { expect, test } from 'vitest'
import { boundCalls } from '../../../server/mesh/calls-at-once.ts'

test('who fills its own share takes nobody else’s', () => {
  const calls = boundCalls({ perAddress: 2, total: 3 })
  calls.enter('a')
  calls.enter('a')
  expect(() => calls.enter('a')).toThrow(/more than 2 of this address/)
  calls.enter('b')
  expect(() => calls.enter('c')).toThrow(/too many requests/)
  calls.leave('a')
  calls.enter('c')
  calls.leave('a')
  calls.leave('b')
  calls.leave('c')
  calls.enter('a')
  calls.enter('a')
})
