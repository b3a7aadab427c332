import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nextStep } from '../../../server/ca/rotation.ts'
import {
  type Authority,
  EMPTY_SLOTS,
  freeKeySlot,
  isCurrent,
  type KeySlot,
  type Slots,
  withActivated,
  withoutKey,
  withPrepared,
} from '../../../server/ca/slots.ts'

const START = Date.parse('2026-03-01T00:00:00Z')
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const at = (ms: number) => new Date(START + ms)

const authority = (issuedMs: number, ttlMs: number, keySlot: KeySlot = 'A'): Authority => ({
  id: `${keySlot}-${issuedMs}`,
  keySlot,
  issuedAt: at(issuedMs),
  notBefore: at(issuedMs - 10_000),
  expiresAt: at(issuedMs + ttlMs),
})

const slots = (active?: Authority, prepared?: Authority): Slots<Authority> => ({
  ...EMPTY_SLOTS,
  active,
  prepared,
})

const dayLong = authority(0, DAY)
const next = authority(12 * HOUR, DAY, 'B')

test.for([
  ['prepares when there is nothing at all', slots(), 0, { kind: 'prepare' }],
  [
    'activates at once what is prepared while nothing is active',
    slots(undefined, next),
    12 * HOUR,
    { kind: 'activate' },
  ],
  [
    'waits for half of the life before it prepares',
    slots(dayLong),
    0,
    { kind: 'wait', until: at(12 * HOUR) },
  ],
  [
    'waits through the last moment before half of the life',
    slots(dayLong),
    12 * HOUR - 1,
    { kind: 'wait' },
  ],
  ['prepares at half of the life', slots(dayLong), 12 * HOUR, { kind: 'prepare' }],
  [
    'waits for five sixths of the life before it activates',
    slots(dayLong, next),
    12 * HOUR,
    { kind: 'wait', until: at(20 * HOUR) },
  ],
  [
    'waits through the last moment before five sixths',
    slots(dayLong, next),
    20 * HOUR - 1,
    { kind: 'wait' },
  ],
  ['activates at five sixths of the life', slots(dayLong, next), 20 * HOUR, { kind: 'activate' }],
  [
    'prepares 30 days before the end of a long life',
    slots(authority(0, 365 * DAY)),
    0,
    { kind: 'wait', until: at(335 * DAY) },
  ],
  [
    'activates 7 days before the end of a long life',
    slots(authority(0, 365 * DAY), authority(335 * DAY, 365 * DAY)),
    335 * DAY,
    { kind: 'wait', until: at(358 * DAY) },
  ],
  [
    'gives one that was prepared late five minutes in the bundle first',
    slots(dayLong, authority(22 * HOUR, DAY)),
    22 * HOUR,
    { kind: 'wait', until: at(22 * HOUR + 5 * MINUTE) },
  ],
  [
    'gives one that was prepared late in a short life a twelfth of that life',
    slots(authority(0, 2 * MINUTE), authority(105_000, 2 * MINUTE)),
    105_000,
    { kind: 'wait', until: at(110_000) },
  ],
  [
    'does not wait until nothing can be signed for one that was prepared at the last moment',
    slots(dayLong, authority(DAY - MINUTE, DAY)),
    DAY - MINUTE,
    { kind: 'activate' },
  ],
] as const)('rotation %s', ([, given, nowMs, expected]) => {
  expect(nextStep(given, at(nowMs))).toMatchObject(expected)
})

test('rotation activates the prepared authority and no other', () => {
  expect(nextStep(slots(dayLong, next), at(21 * HOUR))).toEqual({
    kind: 'activate',
    authority: next,
  })
})

test('rotation never activates before an authority was prepared for a third of the active life, when it is asked in time', () => {
  fc.assert(
    fc.property(fc.integer({ min: 60, max: 10 * 365 * 86_400 }), (ttlSeconds) => {
      const active = authority(0, ttlSeconds * 1000)
      const prepare = nextStep(slots(active), at(0))
      if (prepare.kind !== 'wait') throw new Error('it prepared at the start')
      const preparedMs = prepare.until.getTime() - START
      const activate = nextStep(
        slots(active, authority(preparedMs, ttlSeconds * 1000)),
        prepare.until,
      )
      if (activate.kind !== 'wait') throw new Error('it activated at once')
      const knownMs = activate.until.getTime() - prepare.until.getTime()
      expect(knownMs).toBeGreaterThanOrEqual(Math.min((ttlSeconds * 1000) / 3, 23 * DAY) - 1)
      expect(activate.until.getTime()).toBeLessThan(active.expiresAt.getTime())
    }),
  )
})

test('rotation always waits for a moment in the future, and before the active authority ends', () => {
  const whole = (max: number) => fc.integer({ min: 0, max })
  fc.assert(
    fc.property(whole(DAY), whole(DAY), whole(DAY), fc.boolean(), (ttl, preparedMs, nowMs, has) => {
      const active = authority(0, ttl + 1000)
      fc.pre(isCurrent(active, at(nowMs)))
      const prepared = has ? authority(preparedMs, ttl + 1000, 'B') : undefined
      const step = nextStep(slots(active, prepared), at(nowMs))
      if (step.kind !== 'wait') return
      expect(step.until.getTime()).toBeGreaterThan(START + nowMs)
      expect(step.until.getTime()).toBeLessThan(active.expiresAt.getTime())
    }),
  )
})

test('the key of the active authority is never the free one', () => {
  expect(freeKeySlot(EMPTY_SLOTS)).toBe('A')
  expect(freeKeySlot(slots(authority(0, DAY, 'A')))).toBe('B')
  expect(freeKeySlot(slots(authority(0, DAY, 'B')))).toBe('A')
})

test('preparing takes the key of the old authority, which leaves its slot', () => {
  const old = authority(-DAY, DAY, 'B')
  const given = { active: dayLong, old, prepared: undefined }
  expect(withPrepared(given, next)).toEqual({ active: dayLong, prepared: next, old: undefined })
  expect(withoutKey(given, 'A')).toEqual({ active: undefined, prepared: undefined, old })
})

test('activating makes the active authority the old one', () => {
  expect(withActivated(slots(dayLong, next), next)).toEqual({
    prepared: undefined,
    active: next,
    old: dayLong,
  })
  expect(withActivated(slots(undefined, next), next)).toMatchObject({
    active: next,
    old: undefined,
  })
})

test.for([
  ['before it is valid', -10_001, false],
  ['in its first moment', -10_000, true],
  ['in its last moment', DAY - 1, true],
  ['when it has expired', DAY, false],
] as const)('an authority is current or not: %s', ([, nowMs, expected]) => {
  expect(isCurrent(dayLong, at(nowMs))).toBe(expected)
})
