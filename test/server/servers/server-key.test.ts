import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { keptServerKey } from '../../../server/servers/server-key.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'steeple-server-key-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))
const file = () => join(dir, 'server-key.json')

test('a server has its key for as long as it has its data directory', async () => {
  const key = await keptServerKey(dir)
  expect(key).toMatch(/^[0-9a-f-]{36}$/)
  expect(await keptServerKey(dir)).toBe(key)
  expect(statSync(file()).mode & 0o777).toBe(0o600)
  rmSync(file())
  expect(await keptServerKey(dir)).not.toBe(key)
})

test.for(['', 'x', '{}', '{"serverKey":""}', '{"serverKey":"server"}', '[]', '{"serverKey":1}'])(
  'a damaged key file (%s) is refused with what to do, and left as it is',
  async (text) => {
    writeFileSync(file(), text)
    await expect(keptServerKey(dir)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('join as a new server'),
    })
    expect(readFileSync(file(), 'utf8')).toBe(text)
  },
)
