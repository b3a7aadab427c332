import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { keepKeysFile } from '../../disk/keep-keys-file.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'steeple-kept-'))
  path = join(directory, 'keys.json')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

test('where there is no keys file nothing is kept', async () => {
  expect(await keepKeysFile(path)).toBeUndefined()
  expect(readdirSync(directory)).toEqual([])
})

test('no copy is written over another one, and what is kept already is not kept twice', async () => {
  writeFileSync(path, 'first')
  expect(await keepKeysFile(path)).toBe(`${path}.kept-1`)
  expect(await keepKeysFile(path)).toBe(`${path}.kept-1`)
  writeFileSync(path, 'second')
  expect(await keepKeysFile(path)).toBe(`${path}.kept-2`)
  expect(readFileSync(`${path}.kept-1`, 'utf8')).toBe('first')
  expect(readFileSync(path, 'utf8')).toBe('second')
  expect(readdirSync(directory).sort()).toEqual([
    'keys.json',
    'keys.json.kept-1',
    'keys.json.kept-2',
  ])
})

test('a tenth copy is refused, and the nine are as they were', async () => {
  for (let at = 1; at <= 9; at += 1) writeFileSync(`${path}.kept-${at}`, `${at}`)
  writeFileSync(path, 'one more')
  await expect(keepKeysFile(path)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(
      /9 copies of such files .* move away those that are still needed/,
    ),
  })
  const kept = Array.from({ length: 9 }, (_, at) => readFileSync(`${path}.kept-${at + 1}`, 'utf8'))
  expect(kept.join('')).toBe('123456789')
})

test('a copy that cannot be written is refused, and the message quotes nothing of the file', async () => {
  writeFileSync(path, 'top secret')
  mkdirSync(`${path}.kept-1`)
  const refused = keepKeysFile(path)
  await expect(refused).rejects.toThrow(/^cannot keep a copy of keys file .*EISDIR/)
  await expect(refused).rejects.not.toThrow('top secret')
})
