import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { readJson } from '../../disk/read-json.ts'
import { replaceFile } from '../../disk/replace-file.ts'

let dir: string
let path: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'steeple-disk-'))
  path = join(dir, 'file.json')
})
afterEach(() => rmSync(dir, { recursive: true }))

test.for([true, false])(
  'a file is for its owner alone, and replaced as a whole (durable: %s)',
  async (durable) => {
    await replaceFile(path, 'a long first content', { durable })
    await replaceFile(path, 'second', { durable })
    expect(readFileSync(path, 'utf8')).toBe('second')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(dir)).toEqual(['file.json'])
  },
)

test('what a crash left half written is neither used nor in the way', async () => {
  writeFileSync(`${path}.tmp`, 'half', { mode: 0o644 })
  await replaceFile(path, 'whole', { durable: false })
  expect(readFileSync(path, 'utf8')).toBe('whole')
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

const MAX_BYTES = 1000
const SCHEMA = z.object({ list: z.array(z.string()) })
const read = () => readJson(path, SCHEMA, { advice: 'remove it', maxBytes: MAX_BYTES })

test('a file that is not there is no error', async () => {
  expect(await read()).toBeUndefined()
})

test.for([
  ['is cut off', '{"list":["secr'],
  ['is empty', ''],
  ['has another form', '{"list":[{"key":"secret"}]}'],
  ['is of another type', '7'],
] as const)(
  'refuses a file that %s, names it, says what to do, and does not quote it',
  async ([, text]) => {
    writeFileSync(path, text)
    const error: unknown = await read().catch((caught: unknown) => caught)
    expect(error).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/file\.json is damaged: .*; remove it$/),
    })
    expect(String(error)).not.toContain('secr')
  },
)

test('refuses a directory where a file should be', async () => {
  path = dir
  await expect(read()).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

test('refuses a file that is larger than it may be', async () => {
  writeFileSync(path, `{"list":[]}${' '.repeat(MAX_BYTES)}`)
  await expect(read()).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(`it is larger than ${MAX_BYTES} bytes`),
  })
})
