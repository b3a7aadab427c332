/** The table of attacks in SECURITY.md and the tests that try them say the same: each attack has a test, and no test of attacks is left out. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

interface Proof {
  readonly path: string
  /** As it stands in the file, with its places for values. */
  readonly title: string
}

const section = read('SECURITY.md').split('\n## Attacks\n')[1]?.split('\n## ')[0] ?? ''
const rows = section
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .slice(2)
  .map((line) => line.split('|').slice(1, -1))

/** In the third cell: a file, and behind it one title or several. */
function proofsOf(cell: string): readonly Proof[] {
  return [...cell.matchAll(/`(test\/[^`]+)`:((?:,? ?“[^”]+”)+)/g)].flatMap(
    ([, path = '', titles = '']) =>
      [...titles.matchAll(/“([^”]+)”/g)].map(([, title = '']) => ({ path, title })),
  )
}

const proofs = rows.flatMap(([, , cell = '']) => proofsOf(cell))
/** A title is the first argument of a test, or of what a table of values is given to. */
const titlesIn = (source: string) =>
  [
    ...source
      .replaceAll(/^.*\bdescribe\..*$/gm, '')
      .matchAll(/(?:\btest|\)|\])\(\s*'([^']+)',\s*(?:async )?\(/g),
  ].map(([, title]) => title)

test('every row has four cells, and an attack that is tried', () => {
  expect(rows.length).toBeGreaterThan(20)
  for (const row of rows) {
    expect(row, row.join()).toHaveLength(4)
    expect(proofsOf(row[2] ?? ''), row.join()).not.toEqual([])
  }
})

test('every test that the table names is there, under that title', () => {
  const missing = proofs.filter(
    ({ path, title }) => !existsSync(join(root, path)) || !titlesIn(read(path)).includes(title),
  )
  expect(missing).toEqual([])
})

test('every test of an attack on real processes is in the table', () => {
  const tried = globSync('test/e2e/attacks/*.test.ts', { cwd: root }).flatMap((path) =>
    titlesIn(read(path)).map((title) => ({ path, title })),
  )
  expect(tried.length).toBeGreaterThan(15)
  expect(tried).toEqual(
    tried.filter(({ path, title }) =>
      proofs.some((one) => one.path === path && one.title === title),
    ),
  )
})
