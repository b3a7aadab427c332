/** The directory of `steeple dev` goes, and takes nothing of anybody else with it. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openDevDirectory } from '../../../cli/dev/dev-directory.ts'
import { segmentOf } from '../../../cli/dev/dev-user.ts'

const base = mkdtempSync(join(tmpdir(), 'dev-dir-'))
afterAll(() => rmSync(base, { recursive: true }))

test('makes a directory of its own that only its owner may enter, and removes it', () => {
  const directory = openDevDirectory('')
  writeFileSync(join(directory.path, 'file'), '')
  expect(statSync(directory.path).mode & 0o777).toBe(0o700)
  directory.remove()
  directory.remove()
  expect(existsSync(directory.path)).toBe(false)
})

test('removes what it had to make for a directory that was wanted', () => {
  const directory = openDevDirectory(join(base, 'new', 'deep'))
  expect(directory.path).toBe(join(base, 'new', 'deep'))
  directory.remove()
  expect(existsSync(join(base, 'new'))).toBe(false)
})

test('empties a directory that was there, and leaves it', () => {
  const path = join(base, 'there')
  mkdirSync(path)
  {
    using directory = openDevDirectory(path)
    mkdirSync(join(directory.path, 'sub'))
    writeFileSync(join(directory.path, 'sub', 'file'), '')
  }
  expect(readdirSync(path)).toEqual([])
})

test.for([
  ['a directory with something in it', () => join(base, 'full'), 'is not empty'],
  ['a file', () => join(base, 'full', 'file'), 'mkdir'],
  ['a path too long for sockets', () => join(base, 'x'.repeat(90)), 'too long for the sockets'],
] as const)('refuses %s and removes nothing', ([, path, why]) => {
  mkdirSync(join(base, 'full'), { recursive: true })
  writeFileSync(join(base, 'full', 'file'), 'kept')
  expect(() => openDevDirectory(path())).toThrow(why)
  expect(existsSync(join(base, 'full', 'file'))).toBe(true)
})

test.for([
  ['root', 'root'],
  ['jane doe', 'jane-doe'],
  ['dom\\jane', 'dom-jane'],
  ['é', '-'],
  ['..', ''],
  ['.', ''],
] as const)('makes of the account "%s" the segment "%s"', ([name, segment]) => {
  expect(segmentOf(name)).toBe(segment)
})
