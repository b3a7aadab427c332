import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ambiguityOf } from '../../policy/ambiguous-path.ts'
import { normalizePath, PATH_NORMALIZATIONS } from '../../policy/normalize-path.ts'
import { anyText } from '../fakes/any-text.ts'

const base = (target: string) => normalizePath('BASE', target)

/** Targets of the characters that normalisation looks at, in any order. */
const targets = fc
  .array(
    fc.constantFrom(
      '/',
      '.',
      '..',
      '\\',
      '%2e',
      '%2E',
      '%2f',
      '%5c',
      '%25',
      '%',
      '3',
      '2e',
      ';',
      'a',
      '?',
      '#',
      '"',
      ' ',
    ),
    { maxLength: 16 },
  )
  .map((parts) => `/${parts.join('')}`)

describe('normalizePath', () => {
  test.each([
    ['/a/b/..', '/a/'],
    ['/a/.', '/a/'],
    ['/..', '/'],
    ['//../a', '/a'],
    ['/a/..;x=1/c', '/c'],
    ['/a/.;x/c', '/a/c'],
    ['/a\\..;x/c', '/a/..;x/c'],
    ['/.;x\\y/c', '/c'],
    ['/admin;x', '/admin;x'],
    ['/a"b c', '/a%22b%20c'],
    ['/a[b]', '/a[b]'],
    ['/%zz%4', '/%zz%4'],
    ['/%%32e/x', '/%252e/x'],
    ['', '/'],
  ])('brings %s into the form %s', (target, path) => {
    expect(base(target)).toEqual({ kind: 'path', path, query: '' })
  })

  test.each([
    ['//', '//'],
    ['////', '//'],
    ['/a//', '/a/'],
    ['//a//b', '/a/b'],
  ])('merges the slashes of %s to %s, as Envoy 1.39.3', (target, path) => {
    expect(normalizePath('MERGE_SLASHES', target)).toMatchObject({ path })
  })

  test('leaves the query as it was sent and cuts the fragment off', () => {
    expect(base('/a/../b?x=/../%2e#f?g')).toEqual({ kind: 'path', path: '/b', query: '?x=/../%2e' })
  })

  test('does not resolve dots before parameters that only decoding shows, as Envoy 1.39.3', () => {
    expect(base('/a/%2e%2e;/c')).toMatchObject({ path: '/a/..;/c' })
  })

  test.each(PATH_NORMALIZATIONS)('refuses %%00 under %s', (option) => {
    expect(normalizePath(option, '/a%00b')).toMatchObject({ kind: 'refused' })
  })

  test.each(PATH_NORMALIZATIONS)(
    'refuses bytes beyond ASCII under %s, also in the query',
    (option) => {
      for (const target of ['/a\0b', '/\xff', '/caf\xc3\xa9', '/\u0141', '/a?\xff']) {
        expect(normalizePath(option, target)).toMatchObject({ kind: 'refused' })
      }
    },
  )

  test('accepts a %00 in the query, which no policy sees', () => {
    expect(base('/a?x=%00')).toMatchObject({ kind: 'path', path: '/a' })
  })

  test.each(PATH_NORMALIZATIONS)('never throws under %s, whatever the bytes', (option) => {
    fc.assert(
      fc.property(anyText(), (target) => {
        expect(['path', 'refused']).toContain(normalizePath(option, target).kind)
      }),
    )
  })

  test.each(PATH_NORMALIZATIONS)(
    'gives paths under %s that are what they are again, or are ambiguous',
    (option) => {
      fc.assert(
        fc.property(targets, (target) => {
          const once = normalizePath(option, target)
          if (once.kind === 'refused' || ambiguityOf(option, once.path) !== undefined) return
          expect(normalizePath(option, once.path)).toEqual({ ...once, query: '' })
        }),
        { numRuns: 2_000 },
      )
    },
  )

  test.each(['BASE', 'MERGE_SLASHES', 'DECODE_AND_MERGE_SLASHES'] as const)(
    'leaves no dot segment under %s, literal or encoded, for a hop that decodes until nothing changes',
    (option) => {
      fc.assert(
        fc.property(targets, (target) => {
          const once = normalizePath(option, target)
          if (once.kind === 'refused' || ambiguityOf(option, once.path) !== undefined) return
          let decoded = once.path
          for (let round = 0; round < 4; round += 1) {
            decoded = decoded.replace(/%([0-9a-f]{2})/gi, (_, hex) =>
              String.fromCharCode(Number.parseInt(hex, 16)),
            )
          }
          expect(decoded.split(/[/\\]/).filter((segment) => /^\.\.?(;.*)?$/.test(segment))).toEqual(
            [],
          )
        }),
        { numRuns: 2_000 },
      )
    },
  )
})

describe('ambiguityOf', () => {
  test.each([
    ['/a/..;/c', 'dot segment'],
    ['/a%2f..%2fb', 'dot segment'],
    ['/a%5c..%5cb', 'dot segment'],
    ['/a/%252e%252e/b', 'encoded twice'],
    ['/a%252fb', 'encoded twice'],
  ])('refuses %s', (path, why) => {
    expect(ambiguityOf('BASE', path)).toContain(why)
  })

  test.each([
    '/a',
    '/',
    '/a%2fb',
    '/a%20b',
    '/100%25',
    '/a/...',
    '/a..b',
    '/x;y=1',
    '/caf%C3%A9',
    '//a',
  ])('accepts %s', (path) => {
    expect(ambiguityOf('BASE', path)).toBeUndefined()
  })

  test('refuses what another round of the same option would change', () => {
    expect(ambiguityOf('BASE', '/%41')).toContain('normalized again')
    expect(ambiguityOf('MERGE_SLASHES', '/a//b')).toContain('normalized again')
  })

  test('repeats nothing of the path', () => {
    expect(ambiguityOf('BASE', '/secret/..;/x')).not.toContain('secret')
  })

  test('accepts under NONE what that option leaves alone, but no dot segment', () => {
    expect(ambiguityOf('NONE', '/%41//b')).toBeUndefined()
    expect(ambiguityOf('NONE', '/a/../b')).toContain('dot segment')
  })
})
