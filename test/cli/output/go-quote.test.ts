/** Quoted text as Go's `%q` prints it. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { quote } from '../../../cli/output/go-quote.ts'
import { anyText } from '../../fakes/any-text.ts'

test.for([
  ['plain', '"plain"'],
  ['', '""'],
  ['say "x"', '"say \\"x\\""'],
  ['back\\slash', '"back\\\\slash"'],
  ['a\nb\tc\r', '"a\\nb\\tc\\r"'],
  ['\x00\x01\x7f', '"\\x00\\x01\\x7f"'],
  ['\x07\b\f\v', '"\\a\\b\\f\\v"'],
  ['é ü 世界 😀', '"é ü 世界 😀"'],
  ['\u2028\u00a0\u200b', '"\\u2028\\u00a0\\u200b"'],
  ['\u{e0001}', '"\\U000e0001"'],
] as const)('quotes %j', ([text, quoted]) => {
  expect(quote(text)).toBe(quoted)
})

test('lets nothing through that could end the line or the quotes', () => {
  fc.assert(
    fc.property(anyText(), (text) => {
      const inside = quote(text).slice(1, -1)
      expect(inside).not.toMatch(/[\p{Cc}\u2028\u2029]|(?<!\\)(?:\\\\)*"/u)
    }),
  )
})
