import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openLog } from '../../log/open-log.ts'
import { callerIn } from '../../log/source-location.ts'

const dir = mkdtempSync(join(tmpdir(), 'steeple-source-'))
afterAll(() => rmSync(dir, { recursive: true }))

function writeOne(format: 'text' | 'json', hasSource: boolean): string {
  const file = join(dir, `${format}-${hasSource}.log`)
  using opened = openLog({ level: 'INFO', format, file, hasSource })
  opened.log.child({ component: 'ca' }).info({ serial: 1 }, 'Hello')
  return readFileSync(file, 'utf8')
}

test('each line says which one of the program wrote it, under the names of SPIRE', () => {
  expect(writeOne('text', true)).toMatch(
    / msg=Hello component=ca file="source-location\.test\.ts:\d+" func=writeOne serial=1\n$/,
  )
  expect(JSON.parse(writeOne('json', true))).toMatchObject({
    file: expect.stringMatching(/^source-location\.test\.ts:\d+$/),
    func: 'writeOne',
  })
})

test('says nothing of the sort unless it is asked', () => {
  expect(writeOne('text', false)).not.toContain('source-location')
})

test.for([
  ['a function', 'at go (/app/a.js:3:5)', { file: 'a.js:3', func: 'go' }],
  ['the top of a module', 'at file:///app/a.ts:3:5', { file: 'a.ts:3', func: '' }],
  ['an async function', 'at async go (/app/a.js:3:5)', { file: 'a.js:3', func: 'go' }],
  ['a method', 'at Object.apply (/app/a.js:3:5)', { file: 'a.js:3', func: 'Object.apply' }],
] as const)('finds %s in a stack', ([, frame, caller]) => {
  const pino = 'at LOG (/app/node_modules/pino/lib/tools.js:64:21)'
  expect(callerIn(`Error\n    ${pino}\n    ${frame}`)).toEqual(caller)
})

test('finds nobody where there is nobody', () => {
  expect(callerIn('Error')).toBeUndefined()
  expect(callerIn('Error\n    at <anonymous>')).toBeUndefined()
})
