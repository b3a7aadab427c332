/**
 * Whether the conformance tests are complete: every MUST of the standards is named in the title of a test, or
 * stands here with the reason why it does not apply.
 */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

/** The requirements of level MUST, by group and number. */
const MUSTS: Readonly<Record<string, readonly number[]>> = {
  ID: [1, 2, 3, 4, 5, 6, 7, 9, 10, 11],
  X: [1, 3, 4, 6, 7, 9, 10, 11, 13, 14, 15, 16],
  J: [1, 2, 4, 5, 6, 7, 10],
  B: [1, 4, 6],
  W: [1, 2, 3, 4, 6, 8, 9],
  E: [1, 2, 3, 4, 6],
  K: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
}

const NO_WIT =
  'WIT-SVIDs are Incubating; none are issued or taken, and their calls are Unimplemented'
const NO_BROKER = 'the Broker API is Incubating; it is not served, and no broker endpoint is opened'

const NOT_APPLICABLE: Readonly<Record<string, string>> = {
  'W-1': NO_WIT,
  'W-2': NO_WIT,
  'W-3': NO_WIT,
  'W-4': NO_WIT,
  'W-6': NO_WIT,
  'W-9': NO_WIT,
  ...Object.fromEntries((MUSTS.K ?? []).map((number) => [`K-${number}`, NO_BROKER])),
}

const required = Object.entries(MUSTS).flatMap(([group, numbers]) =>
  numbers.map((number) => `${group}-${number}`),
)

const root = join(import.meta.dirname, '..')
/** What follows `test(`, in one or several lines, up to the end of the title. */
const TITLE = /\btest(?:\.for\([\s\S]*?\))?\(\s*(['"`])((?:(?!\1).)*)\1/g
const NUMBER = /\b(?:ID|X|J|B|W|E|K)-\d+\b/g

const named = new Set(
  globSync('**/*.test.ts', { cwd: root }).flatMap((path) =>
    [...readFileSync(join(root, path), 'utf8').matchAll(TITLE)].flatMap(
      ([, , title = '']) => title.match(NUMBER) ?? [],
    ),
  ),
)

test('every MUST is proven by a test that names it, or has a reason not to be', () => {
  const missing = required.filter((one) => !named.has(one) && NOT_APPLICABLE[one] === undefined)
  expect(missing).toEqual([])
})

test('what is proven is not called inapplicable, and what is inapplicable is a MUST', () => {
  const excused = Object.keys(NOT_APPLICABLE)
  expect(excused.filter((one) => named.has(one))).toEqual([])
  expect(excused.filter((one) => !required.includes(one))).toEqual([])
})
