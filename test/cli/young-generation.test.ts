/** What the launcher tells Node about memory: real processes, asked what they were started with. */
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { steeple } from '../processes/cluster.ts'
import { run } from '../processes/process.ts'

/** Each test starts a process, perhaps on a busy machine. */
vi.setConfig({ testTimeout: 60_000 })

const dir = mkdtempSync(join(tmpdir(), 'young-generation-'))
const spireAgent = join(dir, 'spire-agent')
symlinkSync(steeple, spireAgent)
afterAll(() => rmSync(dir, { recursive: true }))

const TELL = '--import=data:text/javascript,console.log(JSON.stringify(process.execArgv))'

test.for([
  ['an agent has a small young generation', steeple, 'agent', ['--max-semi-space-size=4']],
  ['spire-agent has it too', spireAgent, 'run', ['--max-semi-space-size=4']],
  ['a server has the one that Node chooses', steeple, 'server', []],
  ['so has a proxy', steeple, 'proxy', []],
  ['a word that only begins so changes nothing', steeple, 'agents', []],
] as const)('%s', async ([, program, word, expected]) => {
  const { stdout } = await run(program, [word, '--help'], { env: { NODE_OPTIONS: TELL } })
  const flags: readonly string[] = JSON.parse(stdout.split('\n')[0] ?? '')
  expect(flags.filter((flag) => flag.includes('semi-space'))).toEqual(expected)
})
