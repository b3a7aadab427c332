import fc from 'fast-check'
import { expect, test } from 'vitest'
import { limitRates, NO_RATES } from '../../../agent/workload-api/rate-limit.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { parseSelector } from '../../../spiffe/selector.ts'
import { FakeClock } from '../../fakes/clock.ts'

const METHOD = '/SpiffeWorkloadAPI/FetchX509SVID'
const set = (...texts: readonly string[]) =>
  new Set(texts.map((text) => parseSelector(`u:${text}`)))

function open(perSecond: number) {
  const clock = new FakeClock()
  const exceeded: string[] = []
  const onExceeded = (method: string) => void exceeded.push(method)
  const limit = limitRates({ rates: { ...NO_RATES, FetchX509SVID: perSecond }, clock, onExceeded })
  const isAllowed = (who: ReturnType<typeof set>, method = METHOD) => {
    try {
      limit(method, who)
      return true
    } catch (error) {
      expect(error).toBeInstanceOf(IdentityError)
      return false
    }
  }
  return { clock, exceeded, limit, isAllowed }
}

test('refuses the call that comes too soon, in the words of SPIRE, and tells who counts', () => {
  const { limit, exceeded } = open(2)
  limit(METHOD, set('a'))
  limit(METHOD, set('a'))
  expect(() => limit(METHOD, set('a'))).toThrow(
    new IdentityError('UNAVAILABLE', `rate limit exceeded for ${METHOD}`),
  )
  expect(exceeded).toEqual([METHOD])
})

test('refuses whoever has the same selectors, in whatever order, as one workload', () => {
  const { isAllowed } = open(1)
  expect(isAllowed(set('a', 'b'))).toBe(true)
  expect(isAllowed(set('b', 'a'))).toBe(false)
})

test('refuses callers without selectors as one, too', () => {
  const { isAllowed } = open(1)
  expect([isAllowed(set()), isAllowed(set())]).toEqual([true, false])
})

test('selectors that only look alike when put together are different workloads', () => {
  const { isAllowed } = open(1)
  expect([isAllowed(set('a","u:b')), isAllowed(set('a', 'b'))]).toEqual([true, true])
})

test('others, and other methods, are not held back', () => {
  const { isAllowed } = open(1)
  expect(isAllowed(set('a'))).toBe(true)
  expect(isAllowed(set('b'))).toBe(true)
  for (let call = 0; call < 5; call += 1)
    expect(isAllowed(set('a'), '/SpiffeWorkloadAPI/FetchJWTSVID')).toBe(true)
})

test('without a rate nobody is ever held back', () => {
  const { isAllowed } = open(0)
  for (let call = 0; call < 1_000; call += 1) expect(isAllowed(set('a'))).toBe(true)
})

test('a refused call costs nothing: the next one is allowed when its time has come', () => {
  const { clock, isAllowed } = open(1)
  isAllowed(set('a'))
  for (let call = 0; call < 10; call += 1) expect(isAllowed(set('a'))).toBe(false)
  clock.advance(999)
  expect(isAllowed(set('a'))).toBe(false)
  clock.advance(1)
  expect(isAllowed(set('a'))).toBe(true)
})

test('a clock that was set back neither gives nor takes', () => {
  const { clock, isAllowed } = open(1)
  isAllowed(set('a'))
  clock.advance(-60_000)
  expect(isAllowed(set('a'))).toBe(false)
  clock.advance(1_000)
  expect(isAllowed(set('a'))).toBe(true)
})

test('whoever comes and goes, a workload is held back while it goes on calling', () => {
  const { clock, isAllowed } = open(1)
  isAllowed(set('a'))
  for (let other = 0; other < 20_500; other += 1) {
    isAllowed(set(String(other)))
    if (other % 5_000 === 0) expect(isAllowed(set('a'))).toBe(false)
  }
  clock.advance(61_000)
  expect(isAllowed(set('a'))).toBe(true)
})

test('in any second no more calls are let through than a full bucket and what comes back', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.nat(700), { maxLength: 60 }),
      (rate, pauses) => {
        const { clock, isAllowed } = open(rate)
        const start = clock.now().getTime()
        let allowed = 0
        for (const pause of pauses) {
          clock.advance(pause)
          if (isAllowed(set('a'))) allowed += 1
        }
        const seconds = (clock.now().getTime() - start) / 1_000
        expect(allowed).toBeLessThanOrEqual(rate + seconds * rate + 1e-6)
      },
    ),
  )
})
