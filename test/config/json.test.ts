/** JSON with places: strict, and never surprised. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseJson } from '../../config/json.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { anyTree, plain, refusalOf } from './trees.ts'

const read = (text: string) => parseJson('x.json', text)

test('reads values, keeps the text of numbers and repeated keys', () => {
  expect(
    plain(read('{"a": [1, -0.50, 1e3, true, null, "\\u00e9\\n"], "b": {}, "b": "x"}')),
  ).toEqual({
    a: ['1', '-0.50', '1e3', true, 'null', 'é\n'],
    b: [{}, 'x'],
  })
})

test('knows the place of a value behind line ends of both kinds', () => {
  const root = read('{\r\n  "a": {\n    "b": [1,\n 2]}}')
  const a = root.kind === 'object' ? root.members[0]?.value : undefined
  const b = a?.kind === 'object' ? a.members[0] : undefined
  expect(b?.place).toEqual({ kind: 'file', file: 'x.json', line: 3, column: 5 })
  const two = b?.value.kind === 'list' ? b.value.items[1] : undefined
  expect(two?.place).toEqual({ kind: 'file', file: 'x.json', line: 4, column: 2 })
})

test.for([
  ['nothing', '', '1:1: no value'],
  ['a comment', '{ // x\n}', '1:3: no key'],
  ['a comma at the end', '{"a": 1,\n}', '2:1: no key'],
  ['a comma at the end of a list', '[1,]', '1:4: no value'],
  ['single quotes', "{'a': 1}", '1:2: no key'],
  ['a key without a colon', '{"a" 1}', '1:6: no value follows a key'],
  ['two values', '{} {}', '1:4: text follows'],
  ['a leading zero', '[01]', '1:2: no value'],
  ['a plus sign', '[+1]', '1:2: no value'],
  ['a fraction without digits', '[1.]', '1:2: no value'],
  ['hexadecimal', '[0x1]', '1:2: no value'],
  ['a word', '[tru]', '1:2: no value'],
  ['letters after a word', '[truex]', '1:2: no value'],
  ['a missing comma', '[1 2]', '1:4: two values are not separated'],
  ['a string without an end', '["a]', '1:2: the string has no end'],
  ['a control character', '["a\u0001"]', '1:2: the string has no end, a wrong escape'],
  ['a line end in a string', '["a\nb"]', '1:2: the string'],
  ['a wrong escape', '["\\q"]', '1:2: the string'],
  ['half a surrogate pair', '["\\ud800"]', '1:2: the string holds half a surrogate pair'],
  ['too many levels', '['.repeat(33), '1:33: nested too deeply'],
] as const)('refuses %s in its place', ([, text, message]) => {
  expect(refusalOf(() => read(text))).toContain(`x.json:${message}`)
})

test('reads back every tree that is written as JSON', () => {
  fc.assert(
    fc.property(anyTree, fc.constantFrom(undefined, 2, '\t'), (tree, indent) => {
      expect(plain(read(JSON.stringify(tree, null, indent)))).toEqual(tree)
    }),
  )
})

test('agrees with JSON.parse on what is JSON', () => {
  const pieces = fc.constantFrom(
    ...[
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"',
      '"a"',
      '\\',
      '1',
      '0',
      '-',
      '.',
      'e',
      'true',
      'null',
      ' ',
      '\n',
      '\u0001',
    ],
  )
  const texts = fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(texts, (text) => {
      expect(
        outcome(() => read(text)),
        text,
      ).toBe(outcome(() => JSON.parse(text)))
    }),
    { numRuns: 2000 },
  )
})

function outcome(parse: () => unknown): 'read' | 'refused' {
  try {
    parse()
    return 'read'
  } catch (error) {
    if (error instanceof IdentityError || error instanceof SyntaxError) return 'refused'
    throw error
  }
}
