import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  isSatisfied,
  parseSelector,
  selector,
  selectorType,
  selectorValue,
  sortSelectors,
} from '../../spiffe/selector.ts'
import { refusalOf } from './refusal.ts'

test.for([
  ['unix', 'must be formatted as type:value'],
  ['', 'must be formatted as type:value'],
  [':1000', 'missing selector type'],
  ['unix:', 'missing selector value'],
] as const)('refuses the selector %j', ([text, why]) => {
  expect(refusalOf(() => parseSelector(text))).toMatch('SELECTOR_INVALID: ')
  expect(refusalOf(() => parseSelector(text))).toContain(why)
})

test('a selector type cannot hide a colon', () => {
  expect(refusalOf(() => selector('k8s:ns', 'x'))).toBe(
    "SELECTOR_INVALID: selector type contains ':'",
  )
})

test('a selector has a type without a colon and a value that may have any', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (type, value) => {
      fc.pre(!type.includes(':'))
      const one = parseSelector(`${type}:${value}`)
      expect([selectorType(one), selectorValue(one)]).toEqual([type, value])
      expect(selector(type, value)).toBe(one)
    }),
  )
})

const present = new Set(['unix:uid:1', 'unix:gid:2', 'k8s:ns:shop'].map(parseSelector))

test.for([
  [['unix:uid:1'], true],
  [['unix:uid:1', 'k8s:ns:shop'], true],
  [['unix:uid:1', 'unix:uid:2'], false],
  [['unix:uid:10'], false],
  [[], false],
] as const)('a caller with three selectors satisfies %j: %s', ([wanted, expected]) => {
  expect(isSatisfied(wanted.map(parseSelector), present)).toBe(expected)
})

test('selectors are sorted by type and then by value, which is not the order of their texts', () => {
  const texts = ['a:b', 'a-b:a', 'b:1', 'a:a:c', 'a:a']
  expect(sortSelectors(texts.map(parseSelector))).toEqual(['a:a', 'a:a:c', 'a:b', 'a-b:a', 'b:1'])
})
