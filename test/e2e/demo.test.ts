/** The README's first command, as it stands: every step of it really happens. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { run } from '../processes/process.ts'

test('the demo ends with 0 and tells every step', async () => {
  const { code, stdout, stderr } = await run('npm', ['run', 'demo'], {
    cwd: join(import.meta.dirname, '..', '..'),
  })
  expect(code, stdout + stderr).toBe(0)
  expect(stdout.match(/^\d+\. /gm)).toHaveLength(10)
  expect(stdout).toMatch(/, 0 failed;/)
})
