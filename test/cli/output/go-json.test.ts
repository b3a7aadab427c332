/** JSON in the form of SPIRE's commands. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatJson, formatSorted, type Json } from '../../../cli/output/go-json.ts'

test('sorts members at every depth and leaves out those that are null', () => {
  expect(formatJson({ b: 1, a: { z: null, y: [{ d: 1, c: 2 }, null] } })).toBe(
    '{"a":{"y":[{"c":2,"d":1},null]},"b":1}',
  )
})

test('keeps null where everything is to be seen', () => {
  expect(formatSorted({ b: null, a: '<' })).toBe('{"a":"<","b":null}')
})

test('sorts by bytes, not by the language of anybody', () => {
  expect(formatJson({ é: 1, z: 2, Z: 3, 10: 4, 9: 5, '😀': 6, '\uffff': 7 })).toBe(
    '{"10":4,"9":5,"Z":3,"z":2,"é":1,"\uffff":7,"😀":6}',
  )
})

test('escapes what could end a script in a web page', () => {
  expect(formatJson('<script>&\u2028\u2029')).toBe('"\\u003cscript\\u003e\\u0026\\u2028\\u2029"')
})

test.for([
  [1.5e21, '1.5e+21'],
  [1e-7, '1e-7'],
  [1795259827, '1795259827'],
] as const)('prints the number %d as Go does', ([number, text]) => {
  expect(formatJson(number)).toBe(text)
})

test('is read back as what it was, members named like those of every object included', () => {
  const value = fc.jsonValue().filter((json) => !JSON.stringify(json).includes('null'))
  fc.assert(
    fc.property(value, (json) => {
      // Cast: fast-check's JSON is ours, only not readonly.
      expect(JSON.parse(formatJson(json as Json))).toEqual(JSON.parse(JSON.stringify(json)))
    }),
  )
  expect(formatJson(JSON.parse('{"__proto__":{"a":1}}'))).toBe('{"__proto__":{"a":1}}')
})
