/** Signals ask a process to stop, and a second one does not wait for it. */

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { start } from '../processes/process.ts'

const url = pathToFileURL(join(import.meta.dirname, '..', '..', 'cli', 'stop-on-signals.ts'))
const stubborn = `
  import { stopOnSignals } from '${url}'
  const stop = stopOnSignals(() => console.log('at once'))
  stop.signal.addEventListener('abort', () => console.log('asked'))
  setInterval(() => {}, 1000)
  console.log('ready')
`
const open = () => start(process.execPath, ['--input-type=module', '--eval', stubborn])

test.for([
  ['SIGINT', 'SIGINT'],
  ['SIGTERM', 'SIGINT'],
] as const)('after %s the process goes on, after %s it is gone', async ([first, second]) => {
  await using running = open()
  await running.line(/^ready$/)
  running.kill(first)
  await running.line(/^asked$/)
  running.kill(second)
  expect(await running.ended).toBe(second)
  expect(running.output()).toBe('ready\nasked\nat once')
})
