/** What another process of the same user, and the kernel on a crash, get to see of a process that keeps its memory private. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { run, start } from '../processes/process.ts'

const MODULE = join(import.meta.dirname, '..', '..', 'proto', 'private-memory.ts')
const NOBODY = ['--reuid=65534', '--regid=65534', '--clear-groups']
const isRoot = process.geteuid?.() === 0

/** Starts a process of nobody's. @param before what it does first */
async function startAsNobody(before: string) {
  const program = `${before}\nconsole.log('ready'); process.stdin.resume(); setInterval(() => {}, 1e6)`
  const running = start('setpriv', [
    ...NOBODY,
    process.execPath,
    '--input-type=module',
    '-e',
    program,
  ])
  await running.line(/ready/)
  return running
}

/** Whether another process of nobody's may read the memory. */
async function mayRead(pid: number): Promise<boolean> {
  const { code } = await run('setpriv', [...NOBODY, 'sh', '-c', `: < /proc/${pid}/mem`])
  return code === 0
}

test.runIf(isRoot)('a process of the same user reads the memory of any other process', async () => {
  await using open = await startAsNobody('')
  expect(await mayRead(open.pid)).toBe(true)
  expect(statSync(`/proc/${open.pid}/mem`).uid).toBe(65_534)
})

test.runIf(isRoot)(
  'and not that of one that keeps it private, which leaves no core dump either',
  async () => {
    await using closed = await startAsNobody(
      `const { keepMemoryPrivate } = await import(${JSON.stringify(MODULE)}); keepMemoryPrivate()`,
    )
    expect(await mayRead(closed.pid)).toBe(false)
    // Its files are root's because it is not dumpable, which is what the kernel asks before it writes a core dump.
    expect(statSync(`/proc/${closed.pid}/mem`).uid).toBe(0)
    expect(readFileSync(`/proc/${closed.pid}/status`, 'utf8')).toMatch(/^Uid:\t65534\t/m)
  },
)
