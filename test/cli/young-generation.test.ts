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
const spireServer = join(dir, 'spire-server')
symlinkSync(steeple, spireServer)
afterAll(() => rmSync(dir, { recursive: true }))

const TELL = '--import=data:text/javascript,console.log(JSON.stringify(process.execArgv))'

test.for([
  ['an agent has a small young generation', steeple, 'agent', ['--max-semi-space-size=4']],
  ['spire-agent has it too', spireAgent, 'run', ['--max-semi-space-size=4']],
  ['a server has one that is a little larger', steeple, 'server', ['--max-semi-space-size=8']],
  ['spire-server has that too', spireServer, 'run', ['--max-semi-space-size=8']],
  ['a proxy has the one that Node chooses', steeple, 'proxy', []],
  ['a word that only begins so changes nothing', steeple, 'agents', []],
] as const)('%s', async ([, program, word, expected]) => {
  const { stdout } = await run(program, [word, '--help'], { env: { NODE_OPTIONS: TELL } })
  const flags: readonly string[] = JSON.parse(stdout.split('\n')[0] ?? '')
  expect(flags.filter((flag) => flag.includes('semi-space'))).toEqual(expected)
})
