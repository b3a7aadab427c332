/** Which programs go on with which databases. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  canFollow,
  judgeSchema,
  type SchemaStep,
} from '../../../../server/store/sql/schema-history.ts'

const step = (name: string, oldestReader = name): SchemaStep => ({ name, oldestReader })
const one = step('1')
const two = step('2', '1')
const three = step('3', '2')
const KNOWN = [one, two]

const done = (...steps: readonly SchemaStep[]) =>
  new Map(steps.map(({ name, oldestReader }) => [name, oldestReader]))

test('a database with everything that is known, and nothing else, is current', () => {
  expect(judgeSchema(KNOWN, done(one, two))).toEqual({ kind: 'current' })
})

test('a database that lacks something lacks it in the order in which it is carried out', () => {
  expect(judgeSchema(KNOWN, new Map())).toEqual({ kind: 'behind', missing: ['1', '2'] })
  expect(judgeSchema(KNOWN, done(one))).toEqual({ kind: 'behind', missing: ['2'] })
})

test('goes on with one step that says so', () => {
  expect(judgeSchema(KNOWN, done(one, two, three))).toEqual({ kind: 'ahead', by: '3' })
})

test('goes on with one step that even older programs can read', () => {
  expect(judgeSchema(KNOWN, done(one, two, step('3', '1')))).toEqual({ kind: 'ahead', by: '3' })
})

test.for([
  ['a step of which nothing was noted', new Map([...done(one, two), ['3', undefined]])],
  ['a step that only its own program reads', done(one, two, step('3'))],
  ['a step whose oldest reader is a program that is not known', done(one, two, step('3', '2b'))],
  ['a step whose reader has no name', done(one, two, step('3', ''))],
  [
    'two steps, though each says that it can be read',
    done(one, two, step('3', '1'), step('4', '1')),
  ],
  ['a step that follows one that is known and was not done', done(one, step('3', '1'))],
  ['a step in between', done(one, step('1b', '1'), step('3', '1'))],
] as const)('refuses %s', ([, history]) => {
  const standing = judgeSchema(KNOWN, history)
  expect(standing.kind).toBe('unreadable')
})

test('names everything that is not known, in order', () => {
  expect(judgeSchema(KNOWN, done(one, two, step('5'), step('4')))).toEqual({
    ...{ kind: 'unreadable', unknown: ['4', '5'] },
  })
})

const ALL = [one, two, three]

test('a server that runs follows one step that it can read, and no more', () => {
  expect(ALL.map((_, count) => canFollow(ALL, count))).toEqual([false, false, true])
  expect(canFollow(ALL, 3)).toBe(true)
})

test('a server that runs does not follow a step that it cannot read', () => {
  expect(canFollow([one, two, step('3')], 2)).toBe(false)
})

test('a server that knows more than is carried out stays', () => {
  expect(canFollow([one, two], 3)).toBe(true)
})

test('whoever would be left behind by a migration is refused by the database after it, and the other way round', () => {
  const histories = fc
    .array(fc.nat(5), { minLength: 1, maxLength: 6 })
    .map((readers) => readers.map((reader, at) => step(`${at}`, `${Math.min(reader, at)}`)))
  fc.assert(
    fc.property(histories, fc.nat(5), (all, count) => {
      const known = all.slice(0, count)
      if (known.length === all.length) return
      expect(canFollow(all, known.length)).toBe(judgeSchema(known, done(...all)).kind === 'ahead')
    }),
  )
})
