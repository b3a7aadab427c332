import { describe, expect, test } from 'vitest'
import { matchesLabels, parseLabelSelector } from '../../../server/controller/label-selector.ts'

const labels = { app: 'cart', tier: 'web', empty: '', 'example.com/owner': 'shop' }
const expression = (key: string, operator: string, ...values: readonly string[]) => ({
  matchExpressions: [{ key, operator, ...(values.length === 0 ? {} : { values }) }],
})

describe('a label selector', () => {
  test.for([
    ['that is left out selects everything', undefined, true],
    ['that is empty selects everything', {}, true],
    ['matches equal labels', { matchLabels: { app: 'cart' } }, true],
    ['refuses other values', { matchLabels: { app: 'pay' } }, false],
    ['refuses labels that are missing', { matchLabels: { none: '' } }, false],
    ['knows empty values', { matchLabels: { empty: '' } }, true],
    ['wants all of them', { matchLabels: { app: 'cart', tier: 'db' } }, false],
    ['takes one of several values', expression('app', 'In', 'pay', 'cart'), true],
    ['refuses what is in none of them', expression('app', 'In', 'pay'), false],
    ['takes what is not among them', expression('app', 'NotIn', 'pay'), true],
    ['takes what is missing for NotIn', expression('none', 'NotIn', 'pay'), true],
    ['refuses what is among them', expression('app', 'NotIn', 'cart'), false],
    ['takes what exists', expression('example.com/owner', 'Exists'), true],
    ['refuses what does not exist', expression('none', 'Exists'), false],
    ['takes what is absent', expression('none', 'DoesNotExist'), true],
    ['refuses what is there', expression('app', 'DoesNotExist'), false],
    ['knows nothing of inherited names', expression('constructor', 'Exists'), false],
    [
      'joins both forms',
      { matchLabels: { app: 'cart' }, ...expression('tier', 'In', 'db') },
      false,
    ],
  ] as const)('%s', ([, selector, isMatch]) => {
    expect(matchesLabels(parseLabelSelector(selector), labels)).toBe(isMatch)
  })

  test.for([
    ['a text', 'app=cart', 'it is no object'],
    ['an unknown operator', expression('app', 'Equals', 'x'), 'expected In, NotIn, Exists or'],
    ['In without values', expression('app', 'In'), 'and no values'],
    ['Exists with values', expression('app', 'Exists', 'x'), 'and values'],
    ['a key with a space', expression('a b', 'Exists'), 'which is no label key'],
    ['a key with an upper-case prefix', expression('Example.com/a', 'Exists'), 'no label key'],
    ['no key', { matchExpressions: [{ operator: 'Exists' }] }, 'which is no label key'],
    ['a value that is too long', { matchLabels: { app: 'x'.repeat(64) } }, 'is no label value'],
    ['a value that is no text', { matchLabels: { app: 1 } }, 'is no label value'],
    ['labels that are a list', { matchLabels: ['app'] }, 'matchLabels is no object'],
  ] as const)('refuses %s', ([, selector, why]) => {
    expect(() => parseLabelSelector(selector)).toThrow(why)
  })
})
