import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  chooseTarget,
  type Decision,
  nextStep,
  type Progress,
  STEPS,
  type Step,
} from '../../../cli/authority/rotation-step.ts'
import type { Standing } from '../../../proto/gen/steeple/server/authority/v1/Standing.ts'

const standing = (authority_id: string, more: Partial<Standing> = {}): Standing => ({
  ...{ authority_id, issued_at: 1, expires_at: 100, tainted: false },
  ...{ behind: [], behind_count: 0, uses: [], use_count: 0, unknown_until: 0 },
  ...more,
})

const progress = (slots: Partial<Progress>): Progress => ({
  ...{ prepared: null, active: standing('NOW'), old: null },
  ...{ has_upstream: false, activation: 'BY_HAND' },
  ...slots,
})

const behind = { behind_count: 1 }
const tainted = { tainted: true }

const take = (step: Step, authorityId: string): Decision => ({ kind: 'take', step, authorityId })
const waiting = (reason: string) => expect.objectContaining({ kind: 'wait', reason })
const done = (why: string) => ({ kind: 'done', why })

const rows: readonly [string, Partial<Progress>, string, Step, unknown][] = [
  ['prepares when nothing is prepared', {}, 'NOW', 'revoke', take('prepare', '')],
  [
    'stops after preparing when that is all that is asked, whoever has not heard',
    { prepared: standing('NEXT', behind) },
    ...['NOW', 'prepare'],
    done('as-far-as-asked'),
  ],
  [
    'does not activate what somebody has not got',
    { prepared: standing('NEXT', behind) },
    ...['NOW', 'revoke'],
    waiting('unheard'),
  ],
  [
    'activates once everybody has it',
    { prepared: standing('NEXT') },
    ...['NOW', 'activate'],
    take('activate', 'NEXT'),
  ],
  [
    'stops after activating when that is all that is asked',
    { old: standing('OLD') },
    ...['OLD', 'activate'],
    done('as-far-as-asked'),
  ],
  [
    'does not taint while something is known to use it',
    { old: standing('OLD', { use_count: 1 }) },
    ...['OLD', 'revoke'],
    waiting('in-use'),
  ],
  [
    'taints what is only perhaps in use, which cuts nobody off',
    { old: standing('OLD', { unknown_until: 50 }) },
    ...['OLD', 'revoke'],
    take('taint', 'OLD'),
  ],
  [
    'stops after tainting when that is all that is asked',
    { old: standing('OLD', tainted) },
    ...['OLD', 'taint'],
    done('as-far-as-asked'),
  ],
  [
    'does not revoke while somebody has not heard that it is tainted',
    { old: standing('OLD', { ...tainted, ...behind }) },
    ...['OLD', 'revoke'],
    waiting('unheard'),
  ],
  [
    'does not revoke what is in use',
    { old: standing('OLD', { ...tainted, use_count: 3 }) },
    ...['OLD', 'revoke'],
    waiting('in-use'),
  ],
  [
    'does not revoke what is perhaps in use',
    { old: standing('OLD', { ...tainted, unknown_until: 50 }) },
    ...['OLD', 'revoke'],
    waiting('in-use'),
  ],
  [
    'revokes what nothing uses',
    { old: standing('OLD', tainted) },
    ...['OLD', 'revoke'],
    take('revoke', 'OLD'),
  ],
  ['is done when the authority is in no slot', {}, 'OLD', 'revoke', done('gone')],
  [
    'leaves the roots of an upstream authority alone',
    { old: standing('OLD'), has_upstream: true },
    ...['OLD', 'revoke'],
    done('upstream'),
  ],
] as unknown as readonly [string, Partial<Progress>, string, Step, unknown][]

test.for(rows)('a rotation %s', ([, slots, target, until, expected]) => {
  expect(nextStep(progress(slots), { target, until, isForced: false })).toEqual(expected)
})

test.for([
  ['activates', { prepared: standing('NEXT', behind) }, 'NOW', take('activate', 'NEXT')],
  ['taints', { old: standing('OLD', { use_count: 9 }) }, 'OLD', take('taint', 'OLD')],
  [
    'revokes',
    { old: standing('OLD', { ...tainted, ...behind, use_count: 9, unknown_until: 5 }) },
    'OLD',
    take('revoke', 'OLD'),
  ],
] as const)('when forced it %s whoever is left behind', ([, slots, target, expected]) => {
  const wish = { target, until: 'revoke', isForced: true } as const
  expect(nextStep(progress(slots), wish)).toEqual(expected)
})

test('even when forced it never tainted or revoked what signs', () => {
  const slot = (id: string) =>
    fc
      .option(fc.record({ tainted: fc.boolean(), behind_count: fc.nat(2), use_count: fc.nat(2) }))
      .map((more) => (more === null ? null : standing(id, more)))
  fc.assert(
    fc.property(
      ...[slot('NEXT'), slot('OLD'), fc.boolean(), fc.boolean()],
      ...[fc.constantFrom('NOW', 'OLD', 'NEXT', 'OTHER'), fc.constantFrom(...STEPS)],
      (prepared, old, has_upstream, isForced, target, until) => {
        const decision = nextStep(progress({ prepared, old, has_upstream }), {
          ...{ target, until, isForced },
        })
        if (decision.kind !== 'take') return
        expect(STEPS.indexOf(decision.step)).toBeLessThanOrEqual(STEPS.indexOf(until))
        if (decision.step === 'taint' || decision.step === 'revoke') {
          expect(decision.authorityId).toBe('OLD')
          expect(has_upstream).toBe(false)
        }
      },
    ),
  )
})

test.for([
  ['the one that signs, when there is no other', {}, 'NOW'],
  ['the one that signs, when the next is prepared', { prepared: standing('NEXT') }, 'NOW'],
  ['the old one, when an operator let the new one sign', { old: standing('OLD') }, 'OLD'],
  [
    'the one that signs, when the old one went by schedule',
    { old: standing('OLD'), activation: 'BY_SCHEDULE' },
    'NOW',
  ],
  [
    'the old one, when it is tainted, whoever began that',
    { old: standing('OLD', tainted), activation: 'UNKNOWN' },
    'OLD',
  ],
] as const)('what is to go is %s', ([, slots, id]) => {
  expect(chooseTarget(progress(slots), '')).toEqual({ kind: 'target', id })
})

test('after a restart it is not guessed whether a rotation was under way: both ways are named', () => {
  const target = chooseTarget(progress({ old: standing('OLD'), activation: 'UNKNOWN' }), '')
  expect(target).toMatchObject({ kind: 'refused' })
  expect(JSON.stringify(target)).toMatch(/-authorityID OLD.*-authorityID NOW/)
})

test.for([
  ['is prepared', { prepared: standing('NAMED') }],
  ['is unknown', { old: standing('OLD') }],
] as const)('an authority that %s cannot be the one that is to go', ([, slots]) => {
  expect(chooseTarget(progress(slots), 'NAMED')).toMatchObject({ kind: 'refused' })
})

test('nothing is chosen while no authority signs', () => {
  expect(chooseTarget(progress({ active: null }), '')).toMatchObject({ kind: 'refused' })
})
