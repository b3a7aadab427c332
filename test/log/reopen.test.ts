import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLog } from '../../log/open-log.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'steeple-log-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const read = (name: string) => readFileSync(join(dir, name), 'utf8')
const open = () => openLog({ level: 'INFO', format: 'json', file: join(dir, 'x.log') })

test('a log whose file was moved away goes on in a new one when told so', () => {
  using opened = open()
  opened.log.info('first')
  renameSync(join(dir, 'x.log'), join(dir, 'x.old'))
  opened.log.info('second')
  opened.reopen()
  opened.log.info('third')
  expect(read('x.old')).toMatch(/first[\s\S]*second/)
  expect(read('x.log')).toMatch(/third/)
  expect(read('x.log')).not.toMatch(/second/)
  expect(statSync(join(dir, 'x.log')).mode & 0o007).toBe(0)
})

test('a file that cannot be opened anew leaves the old one in use, which says so', () => {
  using opened = open()
  renameSync(join(dir, 'x.log'), join(dir, 'x.old'))
  mkdirSync(join(dir, 'x.log'))
  opened.reopen()
  opened.log.info('after')
  expect(read('x.old')).toMatch(/could not be opened anew[\s\S]*after/)
})

test('a log on standard output is not opened anew', () => {
  using opened = openLog({ level: 'FATAL', format: 'text', file: undefined })
  expect(opened.reopen()).toBeUndefined()
})
