/** Files from disk: text of bounded size, or a refusal that names the file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { CONFIG_HINT, readText } from '../../config/read-text.ts'
import { MAX_CONFIG_BYTES } from '../../config/tree.ts'
import { refusalOf } from './trees.ts'

const dir = mkdtempSync(join(tmpdir(), 'steeple-config-'))
afterAll(() => rmSync(dir, { recursive: true }))

function write(name: string, content: string | Uint8Array): string {
  const path = join(dir, name)
  writeFileSync(path, content)
  return path
}

test('reads text without its byte order mark', () => {
  expect(readText(write('mark', '\ufeffé'))).toBe('é')
  expect(readText(write('empty', ''))).toBe('')
})

test('reads a file of the largest size, and refuses one more byte', () => {
  expect(readText(write('large', 'x'.repeat(MAX_CONFIG_BYTES)))).toHaveLength(MAX_CONFIG_BYTES)
  const path = write('larger', 'x'.repeat(MAX_CONFIG_BYTES + 1))
  expect(refusalOf(() => readText(path))).toContain('is too large')
})

test('ends at its limit when a file has no end', () => {
  expect(refusalOf(() => readText('/dev/zero'))).toContain('is too large')
})

test('refuses a missing file with its whole path and what to do', () => {
  const message = refusalOf(() => readText('no/such/file', CONFIG_HINT))
  expect(message).toContain(join(process.cwd(), 'no/such/file'))
  expect(message).toContain('ENOENT')
  expect(message).toContain('-config')
})

test('refuses a directory', () => {
  expect(refusalOf(() => readText(dir))).toContain('EISDIR')
})

test('refuses bytes that are no UTF-8', () => {
  expect(refusalOf(() => readText(write('binary', new Uint8Array([0xff, 0xfe]))))).toContain(
    'UTF-8',
  )
})
