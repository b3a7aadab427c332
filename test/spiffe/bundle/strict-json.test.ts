import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseStrictJson } from '../../../spiffe/bundle/strict-json.ts'
import { refusalOf, survives } from '../refusal.ts'

test.for([
  ['', 'expected a value at offset 0, found the end'],
  ['{', 'expected a string at offset 1, found the end'],
  ['{"a":1,}', 'expected a string at offset 7, found "}"'],
  ['{"a" 1}', 'expected a colon at offset 5'],
  ['{"a":1 "b":2}', 'expected a comma or } at offset 7'],
  ['{a:1}', 'expected a string at offset 1'],
  ['[1,]', 'expected a value at offset 3'],
  ['[1 2]', 'expected a comma or ] at offset 3'],
  ['1 2', 'expected the end at offset 2'],
  ['01', 'expected the end at offset 1'],
  ['+1', 'expected a value'],
  ['.5', 'expected a value'],
  ['NaN', 'expected a value'],
  ["'a'", 'expected a value'],
  ['"a', 'expected a string'],
  ['"\\x"', 'bad string'],
  ['"\n"', 'bad string'],
  ['// comment\n1', 'expected a value'],
  ['\u00a01', 'expected a value'],
  ['{"a":1,"a":2}', 'the key "a" twice'],
  ['{"a":1,"\\u0061":2}', 'the key "a" twice'],
  ['{"x":[{"__proto__":1,"__proto__":2}]}', 'the key "__proto__" twice'],
  ['['.repeat(100), 'nested deeper than 16'],
  ['{"a":'.repeat(100), 'nested deeper than 16'],
] as const)('refuses %j', ([text, why]) => {
  expect(refusalOf(() => parseStrictJson(text))).toMatch('BUNDLE_MALFORMED: ')
  expect(refusalOf(() => parseStrictJson(text))).toContain(why)
})

test('reads any value as JSON.parse does, however it is laid out', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.nat(4), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent)
      expect(parseStrictJson(text)).toEqual(JSON.parse(text))
    }),
  )
})

test('any text that JSON.parse refuses is refused, and every other is the same or has a key twice', () => {
  const noisy = fc.array(fc.constantFrom(...'{}[]:,"\\ 0-1.eE+ntrue\n', 'null', '"a"'), {
    maxLength: 12,
  })
  fc.assert(
    fc.property(noisy, (pieces) => {
      const text = pieces.join('')
      survives(() => expect(parseStrictJson(text)).toEqual(JSON.parse(text)), 'BUNDLE_MALFORMED')
    }),
    { numRuns: 2000 },
  )
})

test('a key named __proto__ is a key like any other', () => {
  const value = parseStrictJson('{"__proto__":{"keys":[]}}')
  expect(Object.hasOwn(Object(value), '__proto__')).toBe(true)
  expect(Reflect.get(Object(value), 'keys')).toBeUndefined()
})

test('reads texts of millions of characters', () => {
  const long = 'x'.repeat(4_000_000)
  expect(parseStrictJson(JSON.stringify({ long }))).toEqual({ long })
})
