/** The program of a process that does not stay what it was. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openProgram } from '../../../../agent/attest/unix/executable.ts'

const SHELL = realpathSync('/bin/sh')
const SLEEP = realpathSync('/bin/sleep')
const { signal } = new AbortController()
const hashOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

test('a process that starts another program meanwhile never has the path of one and the hash of the other', async () => {
  const child = spawn(SHELL, ['-c', 'read go; exec sleep 60'])
  await once(child, 'spawn')
  try {
    const pid = child.pid ?? 0
    await using program = await openProgram(pid)
    expect(await program.readPath()).toBe(SHELL)
    child.stdin.write('now\n')
    await expect.poll(() => readlinkSync(`/proc/${pid}/exe`)).toBe(SLEEP)
    expect(await program.readPath()).toBe(SHELL)
    expect(await program.hash(0, signal)).toBe(hashOf(SHELL))
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
})

test('a program that is over the limit is refused', async () => {
  await using program = await openProgram(process.pid)
  await expect(program.hash(1_000, signal)).rejects.toMatchObject({
    code: 'ATTESTATION_FAILED',
    message: 'the program is larger than workload_size_limit, 1000 bytes',
  })
})

test('a process that is not there has no program', async () => {
  await expect(openProgram(2 ** 30)).rejects.toMatchObject({ code: 'ENOENT' })
})
