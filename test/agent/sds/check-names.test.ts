import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  checkNames,
  checkTypeUrl,
  MAX_NAME_BYTES,
  MAX_NAMES,
  MAX_NAMES_BYTES,
  showNames,
} from '../../../agent/sds/check-names.ts'

test('refuses one name too many, and one byte too many', () => {
  checkNames(Array.from({ length: MAX_NAMES }, () => 'a'))
  expect(() => checkNames(Array.from({ length: MAX_NAMES + 1 }, () => 'a'))).toThrow(
    `${MAX_NAMES + 1} resource names were given, at most ${MAX_NAMES} are allowed`,
  )
  checkNames(['a'.repeat(MAX_NAME_BYTES)])
  expect(() => checkNames([`${'a'.repeat(MAX_NAME_BYTES - 1)}ñ`])).toThrow(
    `a resource name has ${MAX_NAME_BYTES + 1} bytes, at most ${MAX_NAME_BYTES} are allowed`,
  )
})

test('refuses names that are one byte too long together, and a type that is too long', () => {
  const names = Array.from({ length: MAX_NAMES_BYTES / 1_024 }, () => 'a'.repeat(1_024))
  checkNames(names)
  expect(() => checkNames([...names, 'b'])).toThrow(
    `the resource names have ${MAX_NAMES_BYTES + 1} bytes, at most ${MAX_NAMES_BYTES} are allowed`,
  )
  checkTypeUrl('a'.repeat(MAX_NAME_BYTES))
  expect(() => checkTypeUrl('a'.repeat(MAX_NAME_BYTES + 1))).toThrow(
    `the type URL has ${MAX_NAME_BYTES + 1} bytes, at most ${MAX_NAME_BYTES} are allowed`,
  )
})

test('names are shown as SPIRE shows them', () => {
  expect(showNames(['a', 'b"c', 'd\n'])).toBe('["a" "b\\"c" "d\\n"]')
})

test('whatever was asked for, an error stays short enough for any client', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 400 }), { maxLength: 60 }), (names) => {
      const shown = showNames([...names, 'x'.repeat(5_000)])
      expect(shown.length).toBeLessThan(40_000)
      expect(shown).toMatch(/^\[.*\]$/)
    }),
  )
})
