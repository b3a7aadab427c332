import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { unixAttestor } from '../../../agent/attest/unix/unix-attestor.ts'
import type { WorkloadAttestor } from '../../../agent/attest/workload-attestor.ts'
import { inspectProcess } from '../../../agent/explain/inspect-process.ts'

const unix = unixAttestor({ discoverWorkloadPath: false, workloadSizeLimitBytes: 0 })
const broken: WorkloadAttestor = {
  type: 'broken',
  attest: async () => {
    throw new Error('the socket is gone')
  },
}
const never = new AbortController().signal

/** The number of a process that has just ended. */
async function endedPid(): Promise<number> {
  const child = spawn('true')
  await once(child, 'close')
  return child.pid ?? -1
}

test('each attestor tells what it knows of a process that never called', async () => {
  const child = spawn('sleep', ['100'])
  try {
    await once(child, 'spawn')
    const [own, other] = await inspectProcess([unix, broken], child.pid ?? -1, never)
    expect(own?.error).toBeUndefined()
    expect(own?.selectors).toContain(`unix:uid:${process.geteuid?.()}`)
    expect(other).toEqual({ attestor: 'broken', selectors: [], error: 'the socket is gone' })
  } finally {
    child.kill()
  }
})

test('what may become known later is not waited for', async () => {
  const asked: unknown[] = []
  const patient: WorkloadAttestor = {
    type: 'patient',
    async attest(_caller, _signal, patience) {
      asked.push(patience)
      return []
    },
  }
  await inspectProcess([patient], process.pid, never)
  expect(asked).toEqual(['once'])
})

test('refuses a process that is not there', async () => {
  await expect(inspectProcess([unix], await endedPid(), never)).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringMatching(/^there is no process \d+ where the agent runs/),
  })
})

test('refuses what was learned of a process that ended meanwhile: its number may be another one’s', async () => {
  const child = spawn('sleep', ['100'])
  const closed = once(child, 'close')
  await once(child, 'spawn')
  const slow: WorkloadAttestor = {
    type: 'slow',
    async attest() {
      child.kill('SIGKILL')
      await closed
      return []
    },
  }
  await expect(inspectProcess([slow], child.pid ?? -1, never)).rejects.toMatchObject({
    code: 'PRECONDITION_FAILED',
  })
})
