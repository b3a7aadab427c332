/**
 * What a server does with a disk that is full, read-only or damaged: it says what it saw and what to do, ends or goes on, and
 * never begins anew over what it had. Real processes; full and read-only disks are small file systems in memory, for root.
 */
import { spawnSync } from 'node:child_process'
import {
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { BatchCreateEntryResponse } from '../../proto/gen/spire/api/server/entry/v1/BatchCreateEntryResponse.ts'
import { ask, call, connectAdmin, deadline } from '../kill/clients.ts'
import { listEntries } from '../kill/entries.ts'
import { program, type Server, startServer } from '../processes/cluster.ts'
import { type Result, run } from '../processes/process.ts'

const DATABASE = 'datastore.sqlite3'
const LONG_MS = 600_000

let scratch: string
/** What a killed server has left: most of it is in the write-ahead log. */
let left: string
let foreign: string

async function killed(entries: number): Promise<string> {
  await using server = await startServer('steeple')
  using admin = connectAdmin(server.socket)
  for (let at = 0; at < entries; at += 1) await create(admin, `e${at}`)
  server.process().kill('SIGKILL')
  await server.process().ended
  const copy = mkdtempSync(join(scratch, 'left-'))
  for (const name of [DATABASE, `${DATABASE}-wal`, 'keys.json', 'server.conf']) {
    cpSync(join(server.dir, name), join(copy, name))
  }
  const conf = join(copy, 'server.conf')
  writeFileSync(conf, readFileSync(conf, 'utf8').replaceAll(server.dir, '@dir@'))
  return copy
}

const create = (admin: ReturnType<typeof connectAdmin>, id: string) =>
  ask<BatchCreateEntryResponse>((done) => {
    const of = (path: string) => ({ trust_domain: 'example.org', path })
    const selectors = [{ type: 'test', value: id }]
    const entry = { id, parent_id: of('/parent'), spiffe_id: of(`/${id}`), selectors }
    admin.entry.BatchCreateEntry({ entries: [entry] }, deadline(), done)
  })

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'steeple-faults-'))
  left = await killed(12)
  foreign = await killed(0)
}, LONG_MS)
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** Starts a server on a damaged copy of what was left, which must end by itself. */
async function startOn(damage: (dir: string) => void): Promise<Result & { readonly dir: string }> {
  const dir = mkdtempSync(join(scratch, 'copy-'))
  cpSync(left, dir, { recursive: true })
  const conf = join(dir, 'server.conf')
  writeFileSync(conf, readFileSync(conf, 'utf8').replaceAll('@dir@', dir))
  damage(dir)
  const [command, words] = program('steeple', 'server')
  return { dir, ...(await run(command, [...words, 'run', '-config', conf], { timeoutMs: 90_000 })) }
}

function scribble(path: string, at: number, bytes: number): void {
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(bytes, 0x5a), 0, bytes, at)
  closeSync(file)
}

const log = (dir: string) => join(dir, `${DATABASE}-wal`)

test.each([
  [
    'whose header is overwritten',
    (dir: string) => {
      rmSync(log(dir))
      writeFileSync(join(dir, DATABASE), Buffer.alloc(8_192, 0x5a))
    },
    /cannot open database .*datastore\.sqlite3: file is not a database/,
  ],
  [
    'whose write-ahead log is overwritten in the middle',
    (dir: string) => scribble(log(dir), Math.floor(statSync(log(dir)).size / 3), 100),
    /write-ahead log .* is damaged: frame \d+ is not as it was written, and \d+ commits would be lost with it; restore it/,
  ],
  [
    'whose write-ahead log has lost its header',
    (dir: string) => scribble(log(dir), 0, 32),
    /write-ahead log .* is damaged: its first bytes are not those of a write-ahead log; restore it/,
  ],
])(
  'a server refuses a database %s, and makes no new authorities over the old ones',
  async (_name, damage, message) => {
    const { code, stderr, dir } = await startOn(damage)
    expect(code).toBe(1)
    expect(stderr).toMatch(message)
    expect(readFileSync(join(dir, 'keys.json'))).toEqual(readFileSync(join(left, 'keys.json')))
  },
  LONG_MS,
)

test.each([
  ['cut off', (path: string) => writeFileSync(path, readFileSync(path).subarray(0, 200))],
  ['empty', (path: string) => writeFileSync(path, '')],
  ['no keys but something else', (path: string) => writeFileSync(path, '{"keys":{"x":7}}')],
])(
  'a server refuses a key file that is %s, and says what may be done',
  async (_name, damage) => {
    const { code, stderr } = await startOn((dir) => damage(join(dir, 'keys.json')))
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /keys\.json is damaged: .*; restore it, or remove it to let the server make new authorities/,
    )
  },
  LONG_MS,
)

test(
  'a server with the key file of another CA says so, signs by new authorities, and keeps the old ones in the bundle',
  async () => {
    await using server = await startServer('steeple')
    const before = (await server.cli('steeple', 'bundle', 'show')).stdout.trim()
    server.process().kill('SIGKILL')
    await server.process().ended
    cpSync(join(foreign, 'keys.json'), join(server.dir, 'keys.json'))
    await server.restart()
    expect(server.process().output()).toMatch(/level=(warning|error).*key/i)
    const after = (await server.cli('steeple', 'bundle', 'show')).stdout
    expect(after).toContain(before)
    expect(after.length).toBeGreaterThan(before.length + 100)
  },
  LONG_MS,
)

test(
  'a second server on one data directory is refused, whatever its port and socket are, and the first goes on',
  async () => {
    await using server = await startServer('steeple')
    const second = join(server.dir, 'second.conf')
    const conf = readFileSync(join(server.dir, 'server.conf'), 'utf8')
    writeFileSync(
      second,
      conf.replace('api.sock', 'second.sock').replace(`"${server.port}"`, '"0"'),
    )
    const [command, words] = program('steeple', 'server')
    const { code, stderr } = await run(command, [...words, 'run', '-config', second])
    expect(code).toBe(1)
    expect(stderr).toContain(
      'another server has it open; SQLite serves one server at a time: stop the other one or choose another path',
    )
    using admin = connectAdmin(server.socket)
    expect(await create(admin, 'still')).toMatchObject({ kind: 'acknowledged' })
  },
  LONG_MS,
)

/** A file system of its own, so small that it can be filled. */
async function onSmallDisk(work: (server: Server, disk: string) => Promise<void>): Promise<void> {
  const disk = mkdtempSync(join(scratch, 'disk-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk])
  expect(mounted.stderr.toString()).toBe('')
  const before = process.env.TMPDIR
  process.env.TMPDIR = disk
  try {
    const server = await startServer('steeple').finally(() => {
      if (before === undefined) delete process.env.TMPDIR
      else process.env.TMPDIR = before
    })
    await using _server = server
    await work(server, disk)
  } finally {
    spawnSync('umount', ['-l', disk])
  }
}

function fill(disk: string): string {
  const path = join(disk, 'filler')
  const file = openSync(path, 'w')
  try {
    for (;;) writeSync(file, Buffer.alloc(4_096))
  } catch {
    return path // there is no room for another page
  } finally {
    closeSync(file)
  }
}

const isRoot = process.getuid?.() === 0

test.skipIf(!isRoot)(
  'on a full disk writes are refused with the reason, reads go on, and nothing that was acknowledged is lost',
  () =>
    onSmallDisk(async (server, disk) => {
      using admin = connectAdmin(server.socket)
      const acknowledged: string[] = []
      const keys = readFileSync(join(server.dir, 'keys.json'))
      const filler = fill(disk)
      let refusal = ''
      for (let at = 0; refusal === '' && at < 5_000; at += 1) {
        const outcome = await create(admin, `full-${at}`)
        const status =
          outcome.kind === 'acknowledged' ? outcome.reply.results[0]?.status : undefined
        if (status?.code === 0) acknowledged.push(`full-${at}`)
        else refusal = status?.message ?? JSON.stringify(outcome)
      }
      expect(refusal).toMatch(/database or disk is full.*; free space on its disk, then try again/)
      const prepared = await server.cli('steeple', 'localauthority', 'x509', 'prepare')
      expect(prepared.code).toBe(1)
      expect(prepared.stderr).toMatch(/cannot write keys file .*ENOSPC.*; /)
      expect(readFileSync(join(server.dir, 'keys.json'))).toEqual(keys)
      const shown = new Set((await listEntries(admin)).map(({ id }) => id))
      expect(acknowledged.filter((id) => !shown.has(id))).toEqual([])

      rmSync(filler)
      expect(await create(admin, 'later')).toMatchObject({ kind: 'acknowledged' })
      expect((await server.cli('steeple', 'localauthority', 'x509', 'prepare')).code).toBe(0)
      server.process().kill('SIGKILL')
      await server.process().ended
      await server.restart()
      using again = connectAdmin(server.socket)
      const there = new Set((await listEntries(again)).map(({ id }) => id))
      expect([...acknowledged, 'later'].filter((id) => !there.has(id))).toEqual([])
    }),
  LONG_MS,
)

test.skipIf(!isRoot)(
  'a server whose disk has become read-only does not start, names the directory, and starts once it is writable',
  () =>
    onSmallDisk(async (server, disk) => {
      await server.process()[Symbol.asyncDispose]()
      spawnSync('mount', ['-o', 'remount,ro', disk])
      const [command, words] = program('steeple', 'server')
      const conf = join(server.dir, 'server.conf')
      const { code, stderr } = await run(command, [...words, 'run', '-config', conf])
      expect(code).toBe(1)
      expect(stderr).toMatch(
        /data_dir .* cannot be used \(.*EROFS.*\); choose a directory this user may write to/,
      )
      spawnSync('mount', ['-o', 'remount,rw', disk])
      await server.restart()
      using admin = connectAdmin(server.socket)
      await call((done) => admin.entry.CountEntries({}, deadline(), done))
    }),
  LONG_MS,
)
