import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { gatherLines } from '../../log/gather-lines.ts'
import { openLog } from '../../log/open-log.ts'

function setUp() {
  const writes: string[] = []
  const waiting: (() => void)[] = []
  const lines = gatherLines(
    (text) => writes.push(text),
    (then) => waiting.push(then),
  )
  return {
    ...{ ...lines, writes },
    done() {
      for (const then of waiting.splice(0)) then()
    },
  }
}

test('lines that may wait are written together when what the process does is done, and only once', () => {
  const { add, done, writes } = setUp()
  add('one\n', true)
  add('two\n', true)
  expect(writes).toEqual([])
  done()
  expect(writes).toEqual(['one\ntwo\n'])
  add('three\n', true)
  done()
  done()
  expect(writes).toEqual(['one\ntwo\n', 'three\n'])
})

test('a line that may not wait is written at once, behind those that came before it', () => {
  const { add, done, writes } = setUp()
  add('one\n', true)
  add('two\n', false)
  expect(writes).toEqual(['one\ntwo\n'])
  done()
  expect(writes).toHaveLength(1)
})

test('every line is written whole, once and in order; none waits longer, and no write of several is more than a pipe takes at once', () => {
  const line = fc.record({
    text: fc.oneof(
      fc.string({ maxLength: 300 }),
      fc.constantFrom('ü'.repeat(1_500), 'x'.repeat(5_000)),
    ),
    mayWait: fc.boolean(),
    isLast: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(line, { maxLength: 60 }), (said) => {
      const { add, done, writes } = setUp()
      let expected = ''
      for (const { text, mayWait, isLast } of said) {
        add(`${text}\n`, mayWait)
        expected += `${text}\n`
        if (isLast) done()
        if (isLast || !mayWait) expect(writes.join('')).toBe(expected)
      }
      done()
      expect(writes.join('')).toBe(expected)
      const lines = new Set(said.map(({ text }) => `${text}\n`))
      for (const written of writes) {
        expect(Buffer.byteLength(written) <= 4_096 || lines.has(written)).toBe(true)
      }
    }),
  )
})

test('of a log only debug lines wait, and closing it writes them', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'steeple-log-'))
  const file = join(dir, 'x.log')
  const said = () => readFileSync(file, 'utf8').match(/"msg":"(\w+)"/g) ?? []
  try {
    const opened = openLog({ level: 'DEBUG', format: 'json', file })
    opened.log.debug('one')
    expect(said()).toEqual([])
    await new Promise(process.nextTick)
    expect(said()).toHaveLength(1)
    opened.log.debug('two')
    opened.log.child({ part: 'x' }).info('three')
    expect(said()).toEqual(['"msg":"one"', '"msg":"two"', '"msg":"three"'])
    opened.log.debug('four')
    opened[Symbol.dispose]()
    expect(said()).toHaveLength(4)
  } finally {
    rmSync(dir, { recursive: true })
  }
})

test('what a program said just before a defect ended it is in its log', () => {
  const log = join(import.meta.dirname, '..', '..', 'log', 'open-log.ts')
  const program = `
    const { openLog } = await import(${JSON.stringify(log)})
    const { log } = openLog({ level: 'DEBUG', format: 'text', file: undefined })
    log.debug('the last words')
    throw new Error('a defect')`
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  })
  expect(stdout).toContain('the last words')
  expect(status).not.toBe(0)
})
