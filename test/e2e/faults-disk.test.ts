/**
 * What a server does with files that are damaged, unreadable, of another server or of a newer version: it says what it saw and
 * what to do, and never begins anew over what it had. Real processes.
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openStore } from '../../server/store/sqlite/open-store.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { connectAdmin } from '../kill/clients.ts'
import { createEntry } from '../kill/entries.ts'
import { program, startServer } from '../processes/cluster.ts'
import { type Result, run } from '../processes/process.ts'

const DATABASE = 'datastore.sqlite3'
const LONG_MS = 600_000
const MAX_START_MS = 180_000
const PAGE_BYTES = 4_096
const NOBODY = 65_534

let scratch: string
/** What a killed server has left: most of it is in the write-ahead log. */
let left: string
let foreign: string

async function killed(entries: number): Promise<string> {
  await using server = await startServer('steeple')
  using admin = connectAdmin(server.socket)
  for (let at = 0; at < entries; at += 1) await createEntry(admin, `e${at}`)
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

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'steeple-faults-'))
  left = await killed(12)
  foreign = await killed(0)
}, LONG_MS)
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

type Damage = (dir: string) => void | Promise<void>

/** Starts a server on a damaged copy of what was left, which must end by itself. @param as what runs it */
async function startOn(
  damage: Damage,
  as: readonly string[] = [],
): Promise<Result & { readonly dir: string }> {
  const dir = mkdtempSync(join(scratch, 'copy-'))
  cpSync(left, dir, { recursive: true })
  const conf = join(dir, 'server.conf')
  writeFileSync(conf, readFileSync(conf, 'utf8').replaceAll('@dir@', dir))
  await damage(dir)
  const [steeple, words] = program('steeple', 'server')
  const [command = steeple, ...rest] = [...as, steeple, ...words, 'run', '-config', conf]
  return { dir, ...(await run(command, rest, { timeoutMs: MAX_START_MS })) }
}

function scribble(path: string, at: number, bytes: number): void {
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(bytes, 0x5a), 0, bytes, at)
  closeSync(file)
}

/** As a server leaves it that was stopped in order: all in one file. */
const closed = async (dir: string) =>
  await (await openStore({ path: join(dir, DATABASE), clock: systemClock })).close()

const log = (dir: string) => join(dir, `${DATABASE}-wal`)

test.each([
  [
    'whose header is overwritten',
    (dir: string) => {
      rmSync(log(dir))
      writeFileSync(join(dir, DATABASE), Buffer.alloc(8_192, 0x5a))
    },
    /cannot open database .*datastore\.sqlite3: file is not a database; no new authorities were made; restore a backup/,
  ],
  [
    'with a page that is overwritten',
    async (dir: string) => {
      await closed(dir)
      scribble(join(dir, DATABASE), 4 * PAGE_BYTES, PAGE_BYTES)
    },
    /database .*datastore\.sqlite3 is damaged: .*; no new authorities were made; restore a backup/,
  ],
  [
    'that was cut off',
    async (dir: string) => {
      await closed(dir)
      truncateSync(join(dir, DATABASE), 3 * PAGE_BYTES)
    },
    /database .*datastore\.sqlite3.*; no new authorities were made; restore a backup/,
  ],
  [
    'of a newer version',
    async (dir: string) => {
      await closed(dir)
      using database = new DatabaseSync(join(dir, DATABASE))
      database.exec("insert into kysely_migration values ('9999-newer', '2100-01-01T00:00:00Z')")
    },
    /database .*datastore\.sqlite3 .*9999-newer.*was it written by a newer one\?/,
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

test.skipIf(process.getuid?.() !== 0)(
  'a server refuses a key file that it may not read, says whose it must be, and leaves it alone',
  async () => {
    const asNobody = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups']
    const { code, stderr, dir } = await startOn(
      (copy) => {
        chmodSync(scratch, 0o755)
        chownSync(copy, NOBODY, NOBODY)
        for (const name of readdirSync(copy)) {
          if (name !== 'keys.json') chownSync(join(copy, name), NOBODY, NOBODY)
        }
        chmodSync(join(copy, 'keys.json'), 0o600)
      },
      ['setpriv', ...asNobody],
    )
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /cannot read .*keys\.json: EACCES.*; the user that this program runs as must own it and may read it/,
    )
    expect(readFileSync(join(dir, 'keys.json'))).toEqual(readFileSync(join(left, 'keys.json')))
  },
  LONG_MS,
)

test(
  'a server whose key file or database is of another CA says so, signs by new authorities, and throws no key and no authority away',
  async () => {
    await using server = await startServer('steeple')
    const keys = join(server.dir, 'keys.json')
    const bundle = async () => (await server.cli('steeple', 'bundle', 'show')).stdout.trim()
    const before = await bundle()
    server.process().kill('SIGKILL')
    await server.process().ended
    cpSync(join(foreign, 'keys.json'), keys)
    await server.restart()
    expect(server.process().output()).toMatch(/level=warning.*its key is not in the key store/)
    expect(readFileSync(`${keys}.kept-1`)).toEqual(readFileSync(join(foreign, 'keys.json')))
    const after = await bundle()
    expect(after).toContain(before)
    expect(after.length).toBeGreaterThan(before.length + 100)

    server.process().kill('SIGKILL')
    await server.process().ended
    const last = readFileSync(keys)
    for (const suffix of ['', '-wal', '-shm']) {
      rmSync(join(server.dir, DATABASE + suffix), { force: true })
    }
    await server.restart()
    expect(server.process().output()).toMatch(
      /level=warning.*keys of authorities that the database does not know.*kept=\S*keys\.json\.kept-2/,
    )
    expect(readFileSync(`${keys}.kept-2`)).toEqual(last)
    expect(readFileSync(`${keys}.kept-1`)).toEqual(readFileSync(join(foreign, 'keys.json')))
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
    expect(await createEntry(admin, 'still')).toMatchObject({ kind: 'acknowledged' })
  },
  LONG_MS,
)
