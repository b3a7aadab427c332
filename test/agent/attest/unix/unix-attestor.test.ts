import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  type UnixAttestorOptions,
  unixAttestor,
} from '../../../../agent/attest/unix/unix-attestor.ts'
import type { UnixCaller } from '../../../../proto/peer-credentials.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(realpathSync(tmpdir()), 'steeple-unix-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const nameless = { userName: async () => undefined, groupName: async () => undefined }
const SLEEP = realpathSync('/bin/sleep')

async function run(program: string, args: readonly string[] = ['60']) {
  const child = spawn(program, args)
  await once(child, 'spawn')
  const ids = { uid: process.geteuid?.() ?? -1, gid: process.getegid?.() ?? -1 }
  const caller: UnixCaller = { kind: 'unix', pid: child.pid ?? 0, ...ids, isAlive: () => true }
  return {
    caller,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

const attest = (caller: UnixCaller, options: Partial<UnixAttestorOptions> = {}) =>
  unixAttestor({
    discoverWorkloadPath: false,
    workloadSizeLimitBytes: 0,
    names: nameless,
    ...options,
  }).attest(caller, new AbortController().signal)

const own = [`unix:uid:${process.geteuid?.()}`, `unix:gid:${process.getegid?.()}`]
const programOf = (selectors: readonly string[]) =>
  selectors.filter((one) => /^unix:(path|sha256):/.test(one))
const hashOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

test('a user and groups without a name are known by their numbers alone', async () => {
  await using child = await run('sleep')
  const selectors = await attest(child.caller)
  expect(selectors).toEqual(expect.arrayContaining(own))
  expect(selectors.filter((one) => /:(user|group|supplementary_group):/.test(one))).toEqual([])
})

test('names follow their numbers', async () => {
  await using child = await run('sleep')
  const names = { userName: async () => 'alice', groupName: async (gid: number) => `g${gid}` }
  const [uid, user, gid, group] = await attest(child.caller, { names })
  expect([uid, user, gid, group]).toEqual([
    own[0],
    'unix:user:alice',
    own[1],
    `unix:group:g${process.getegid?.()}`,
  ])
})

test.runIf(process.geteuid?.() === 0)(
  'supplementary groups are those of the process, user and group those that the kernel told when it connected',
  async () => {
    const ids = ['--ruid=1', '--euid=2', '--rgid=3', '--egid=4', '--groups=9,34567']
    await using child = await run('setpriv', [...ids, 'sleep', '60'])
    // As of a process that another program, a set-user-ID one, has made somebody else for a moment.
    await expect
      .poll(() => attest({ ...child.caller, uid: 65_534, gid: 7 }))
      .toEqual([
        'unix:uid:65534',
        'unix:gid:7',
        'unix:supplementary_gid:9',
        'unix:supplementary_gid:34567',
      ])
  },
)

test('the program is not looked at unless asked for', async () => {
  await using child = await run('sleep')
  expect(programOf(await attest(child.caller))).toEqual([])
})

test('path and hash are those of the running program', async () => {
  await using child = await run('sleep')
  expect(programOf(await attest(child.caller, { discoverWorkloadPath: true }))).toEqual([
    `unix:path:${SLEEP}`,
    `unix:sha256:${hashOf(SLEEP)}`,
  ])
})

test('a program replaced on disk keeps the hash of what runs, and its path says it is gone', async () => {
  const program = join(dir, 'workload')
  copyFileSync(SLEEP, program)
  await using child = await run(program)
  rmSync(program)
  copyFileSync('/bin/true', program)
  expect(programOf(await attest(child.caller, { discoverWorkloadPath: true }))).toEqual([
    `unix:path:${program} (deleted)`,
    `unix:sha256:${hashOf(SLEEP)}`,
  ])
})

test('refuses a program above the size limit, and hashes none when the limit is negative', async () => {
  await using child = await run('sleep')
  const limited = (workloadSizeLimitBytes: number) =>
    attest(child.caller, { discoverWorkloadPath: true, workloadSizeLimitBytes })
  await expect(limited(100)).rejects.toMatchObject({ code: 'ATTESTATION_FAILED' })
  expect(programOf(await limited(-1))).toEqual([`unix:path:${SLEEP}`])
  expect(programOf(await limited(1_000_000_000))).toHaveLength(2)
})

test('refuses a path that is not UTF-8 instead of making different paths equal', async () => {
  const program = Buffer.concat([Buffer.from(`${dir}/x`), Buffer.from([0xff])])
  copyFileSync(SLEEP, program)
  // A shell is needed to start it: spawn takes text only.
  const start = `exec ${dir}/x$(printf '\\377') 60`
  await using child = await run('sh', ['-c', start])
  await expect
    .poll(() => attest(child.caller, { discoverWorkloadPath: true }).catch((error) => error))
    .toMatchObject({ code: 'ATTESTATION_FAILED', message: 'the path of the program is not UTF-8' })
})

test('refuses a process that has ended', async () => {
  const child = await run('sleep')
  await child[Symbol.asyncDispose]()
  await expect(attest(child.caller)).rejects.toMatchObject({ code: 'ATTESTATION_FAILED' })
})
