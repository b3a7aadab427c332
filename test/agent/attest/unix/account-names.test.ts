import { mkdtempSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openAccountNames, parseAccountNames } from '../../../../agent/attest/unix/account-names.ts'
import { anyText } from '../../../fakes/any-text.ts'

let dir: string
let files: { passwd: string; group: string }
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'steeple-accounts-'))
  files = { passwd: join(dir, 'passwd'), group: join(dir, 'group') }
})
afterEach(() => rmSync(dir, { recursive: true }))

const root = 'root:x:0:0:root:/root:/bin/bash'

test('the first name of a number counts', () => {
  const names = parseAccountNames(`${root}\ntoor:x:0:0::/:/bin/sh\nweb:x:33:33::/:/bin/sh`)
  expect([...names]).toEqual([
    [0, 'root'],
    [33, 'web'],
  ])
})

test.for([
  '# comment:x:7:',
  '+nis:x:7:',
  '-nis:x:7:',
  ':x:7:',
  ' space:x:7:',
  'two words:x:7:',
  'name:x',
  'name:x:',
  'name:x:seven:',
  'name:x:-7:',
  'name:x:07:',
  'name:x:0x7:',
  'name:x:4294967303:',
  '',
])('the line %j names nobody', (line) => {
  expect(parseAccountNames(line).size).toBe(0)
})

test('no text makes the parser fail, and it invents no name', () => {
  fc.assert(
    fc.property(anyText(), (text) => {
      for (const [id, name] of parseAccountNames(text)) {
        expect(Number.isInteger(id)).toBe(true)
        expect(text).toContain(`${name}:`)
      }
    }),
  )
})

test('a changed file is read again', async () => {
  writeFileSync(files.passwd, root)
  writeFileSync(files.group, 'adm:x:4:root')
  const names = openAccountNames(files)
  expect(await names.userName(0)).toBe('root')
  expect(await names.groupName(4)).toBe('adm')
  expect(await names.userName(33)).toBeUndefined()
  writeFileSync(files.passwd, `${root}\nweb:x:33:33`)
  utimesSync(files.passwd, 1, 1)
  expect(await names.userName(33)).toBe('web')
})

test('where there are no account files nobody has a name', async () => {
  const names = openAccountNames(files)
  expect(await names.userName(0)).toBeUndefined()
  expect(await names.groupName(0)).toBeUndefined()
})

test('refuses a file of absurd size rather than leaving names out', async () => {
  writeFileSync(files.passwd, root)
  truncateSync(files.passwd, 9 * 1024 * 1024)
  await expect(openAccountNames(files).userName(0)).rejects.toMatchObject({
    code: 'ATTESTATION_FAILED',
  })
})
