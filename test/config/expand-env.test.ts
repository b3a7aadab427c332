/** Environment variables in a text, as Go's os.Expand reads them and SPIRE uses it. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what is expanded
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { expandEnv } from '../../config/expand-env.ts'

const env = { NAME: 'x', _A1: 'y', EMPTY: '', '1': 'one', 'a b': 'spaced', DOLLAR: '$NAME' }

test.for([
  ['a name', 'a $NAME b', 'a x b'],
  ['a name in braces', 'a${NAME}b', 'axb'],
  ['a name that ends at a dash', '$NAME-b', 'x-b'],
  ['a name with a digit and an underscore', '$_A1', 'y'],
  ['a longer name, not its beginning', '$NAMES', ''],
  ['an unset name', '<$NOPE>', '<>'],
  ['an empty variable', '<${EMPTY}>', '<>'],
  ['two dollar signs', '$$NAME', '$NAME'],
  ['two dollar signs in braces', '${$}NAME', '$NAME'],
  ['a digit alone', '$10', 'one0'],
  ['anything in braces', '${a b}', 'spaced'],
  ['a dollar sign at the end', 'a$', 'a$'],
  ['a dollar sign before a space', 'a $ b', 'a $ b'],
  ['empty braces', 'a${}b', 'ab'],
  ['braces without an end', 'a${NAME', 'aNAME'],
  ['a value once only', '$DOLLAR', '$NAME'],
  ['nothing that objects inherit', '$constructor', ''],
] as const)('expands %s', ([, text, expected]) => {
  expect(expandEnv(text, env)).toBe(expected)
})

test('leaves a text without dollar signs alone', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const plain = text.replaceAll('$', '')
      expect(expandEnv(plain, env)).toBe(plain)
    }),
  )
})
