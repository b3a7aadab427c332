import { describe, expect, test } from 'vitest'
import {
  compilePathTemplate,
  isPathTemplate,
  literalPrefixOf,
  wrongWithPath,
} from '../../policy/path-template.ts'

describe('a template', () => {
  test.each([
    ['/a/{*}', '/a/b', true],
    ['/a/{*}', '/a/*', true],
    ['/a/{*}', '/a/b=c;d,e', true],
    ['/a/{*}', '/a/', false],
    ['/a/{*}', '/a/b/c', false],
    ['/a/{*}', '/a/b^', false],
    ['/a/{**}', '/a/', true],
    ['/a/{**}', '/a/b/c.txt', true],
    ['/a/{**}', '/a', false],
    ['/a/{**}', '/a/"', false],
    ['/a/{*}/b/{**}', '/a/x/b/y/z', true],
    ['/a/{*}/b/{**}', '/a//b/y', false],
    ['/a/{*}/b/{**}', '/a/b/y', false],
    ['/s/{**}/c', '/s//c', true],
    ['/s/{**}/c', '/s/x/y/c', true],
    ['/s/{**}/c', '/s/c', false],
    ['/e/{*}/', '/e/1/', true],
    ['/e/{*}/', '/e/1', false],
    ['/a.b/{*}', '/aXb/c', false],
    ['a/{*}', '/a/b', false],
  ])('%s and %s: %s', (template, path, matches) => {
    expect(isPathTemplate(template)).toBe(true)
    expect(compilePathTemplate(template).test(path)).toBe(matches)
    if (matches) expect(path.startsWith(literalPrefixOf(template))).toBe(true)
  })

  test.each(Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)))(
    'matches one character of a segment when a URI may hold it there: %j',
    (char) => {
      const may = /[a-zA-Z0-9\-._~%!$&'()*+,;:@=]/.test(char)
      expect(compilePathTemplate('/{*}').test(`/${char}`)).toBe(may)
    },
  )

  test('takes time in proportion to the path that almost matches', () => {
    const path = `/s/${'x/'.repeat(50_000)}d`
    expect(compilePathTemplate('/s/{**}/c').test(path)).toBe(false)
  })
})

test.each([
  ['/{**}/{*}', 'last operator'],
  ['/{**}/{**}', 'last operator'],
  ['/a{*}', 'whole segment'],
  ['/{*}x', 'whole segment'],
  ['/{id}', 'whole segment'],
  ['/{', 'whole segment'],
  ['/{*}/*', 'without *'],
  ['/{*}/a b', 'without *'],
  ['/a//{*}', 'without *'],
])('the path %s is refused: %s', (path, why) => {
  expect(wrongWithPath(path)).toContain(why)
})

test.each(['/a', '/a*', '*', '*/a', '/a/{*}', '/{**}/a', '//a', '/a b'])(
  'the path %s is accepted',
  (path) => {
    expect(wrongWithPath(path)).toBeUndefined()
  },
)
