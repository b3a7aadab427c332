/**
 * A real PostgreSQL for a test file: made in a directory of its own, reached by a socket there, and gone
 * with the tests. Where it is not installed, its tests are skipped loudly, by name.
 */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  globSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getuid, stderr } from 'node:process'
import { afterAll, beforeAll, describe } from 'vitest'
import { type Running, run, start } from './process.ts'

/** The account that PostgreSQL runs under when the tests are root, as which it refuses to run. */
const ACCOUNT = 'postgres'
const USER = 'steeple'

/** Quick rather than durable: a test ends processes, never the machine. */
const QUICK = [
  'deadlock_timeout=100ms',
  'fsync=off',
  'full_page_writes=off',
  'shared_buffers=32MB',
  'max_connections=100',
]

export interface PostgresOptions {
  /** A free port of 127.0.0.1 to listen on as well; without one there is the socket alone. */
  readonly port?: number
  /** Further settings, `name=value`; the last one of a name counts. */
  readonly settings?: readonly string[]
  readonly tls?: PostgresServerTls
  /** Lines of pg_hba.conf that are asked before "everyone on the socket and on 127.0.0.1". */
  readonly hba?: readonly string[]
}

/** PEM texts: what it shows, and whom it believes. */
export interface PostgresServerTls {
  readonly certificate: string
  readonly key: string
  readonly clientRoots: string
}

export interface Postgres extends AsyncDisposable {
  /** Of the database `postgres`, as a superuser, over the socket. */
  readonly connectionString: string
  /** The directory of the socket. */
  readonly directory: string
  /** Of the socket, and of 127.0.0.1 when it was asked for. */
  readonly port: number
  /** The process at this moment. */
  readonly process: Running
  /** Makes an empty database. @returns its connection string */
  createDatabase(name: string): Promise<string>
  /** What psql prints for the text, without decoration. @throws Error with what psql said */
  sql(text: string, database?: string): Promise<string>
  /** Ends every connection, finishes what is written, and starts anew in the same place. */
  restart(): Promise<void>
  /** As a crash: nothing is finished, connections are cut. `startAgain` recovers. */
  kill(): Promise<void>
  startAgain(): Promise<void>
}

/** Where the newest installed PostgreSQL keeps its programs; Debian puts them outside of PATH. */
export function postgresPrograms(): string | undefined {
  const version = (path: string) => Number(path.split('/').at(-2))
  return globSync('/usr/lib/postgresql/*/bin')
    .filter((path) => existsSync(join(path, 'initdb')))
    .sort((a, b) => version(b) - version(a))[0]
}

/** How to get PostgreSQL when it is not there. */
export const lackingPostgres =
  postgresPrograms() === undefined
    ? 'needs postgres: run test/interop/peers install postgres'
    : undefined

/** Tests that share one PostgreSQL; each makes its own database in it. */
export function withPostgres(
  title: string,
  body: (postgres: () => Postgres) => void,
  options: PostgresOptions = {},
): void {
  if (lackingPostgres !== undefined) {
    stderr.write(`SKIPPED ${title}: ${lackingPostgres}\n`)
    describe.skip(`${title} (${lackingPostgres})`, () => body(() => absent()))
    return
  }
  describe(title, () => {
    let postgres: Postgres | undefined
    beforeAll(async () => {
      postgres = await startPostgres(options)
    })
    afterAll(async () => {
      await postgres?.[Symbol.asyncDispose]()
    })
    body(() => postgres ?? absent())
  })
}

function absent(): never {
  throw new Error('PostgreSQL has not been started')
}

/** @throws Error when it is not installed */
export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const programs = postgresPrograms()
  if (programs === undefined) throw new Error(lackingPostgres)
  const directory = mkdtempSync(join(tmpdir(), 'steeple-pg-'))
  const owner = ownerOf(directory)
  const as = owner.words
  const data = join(directory, 'data')
  const { port = 5432 } = options
  const program = (name: string, args: readonly string[]): [string, readonly string[]] => {
    const [command = '', ...rest] = [...as, join(programs, name), ...args]
    return [command, rest]
  }
  const made = await run(
    ...program('initdb', [
      '-D',
      data,
      '-U',
      USER,
      '-A',
      'trust',
      '-E',
      'UTF8',
      '--no-sync',
      '--no-locale',
    ]),
    { cwd: directory },
  )
  if (made.code !== 0) throw new Error(`initdb failed: ${made.stderr}`)
  if (options.hba !== undefined) addHba(join(data, 'pg_hba.conf'), options.hba)

  const settings = [
    ...QUICK,
    ...(options.tls === undefined ? [] : tlsSettings(directory, options.tls, owner.give)),
    `port=${port}`,
    `unix_socket_directories=${directory}`,
    `listen_addresses=${options.port === undefined ? '' : '127.0.0.1'}`,
    ...(options.settings ?? []),
  ].flatMap((setting) => ['-c', setting])
  const open = async () => {
    const running = start(...program('postgres', ['-D', data, ...settings]), { cwd: directory })
    await running.line(/ready to accept connections/)
    return running
  }
  const end = async (signal: 'SIGINT' | 'SIGQUIT') => {
    running.kill(signal)
    await running.ended
  }
  const address = (database: string) =>
    `host=${directory} port=${port} user=${USER} dbname=${database}`
  const sql = async (text: string, database = 'postgres') => {
    const asked = await run(join(programs, 'psql'), [
      '-XqAt',
      '-v',
      'ON_ERROR_STOP=1',
      '-d',
      address(database),
      '-c',
      text,
    ])
    if (asked.code !== 0) throw new Error(`psql: ${asked.stderr}`)
    return asked.stdout.trimEnd()
  }
  let running = await open()
  return {
    connectionString: address('postgres'),
    ...{ directory, port, sql },
    get process() {
      return running
    },
    createDatabase: async (name) => {
      await sql(`create database "${name}"`)
      return address(name)
    },
    restart: async () => {
      await end('SIGINT')
      running = await open()
    },
    kill: () => end('SIGQUIT'),
    startAgain: async () => {
      running = await open()
    },
    [Symbol.asyncDispose]: async () => {
      await end('SIGQUIT') // nothing of it is wanted any more
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

interface Owner {
  /** Before a command, to run it as the owner. */
  readonly words: readonly string[]
  /** Makes a file the owner's. */
  readonly give: (path: string) => void
}

/** Clients of any account find the socket in the directory; the data in it is for its owner alone. */
function ownerOf(directory: string): Owner {
  chmodSync(directory, 0o755)
  if (getuid?.() !== 0) return { words: [], give: () => {} }
  const [uid, gid] = ['-u', '-g'].map((flag) =>
    Number(execFileSync('id', [flag, ACCOUNT], { encoding: 'utf8' })),
  )
  if (uid === undefined || gid === undefined) throw new Error(`no account ${ACCOUNT}`)
  chownSync(directory, uid, gid)
  return {
    words: ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--'],
    give: (path) => chownSync(path, uid, gid),
  }
}

function tlsSettings(
  directory: string,
  { certificate, key, clientRoots }: PostgresServerTls,
  give: Owner['give'],
): readonly string[] {
  const write = (name: string, text: string) => {
    const path = join(directory, name)
    writeFileSync(path, text, { mode: 0o600 })
    give(path)
    return path
  }
  return [
    'ssl=on',
    `ssl_cert_file=${write('server.crt', certificate)}`,
    `ssl_key_file=${write('server.key', key)}`,
    `ssl_ca_file=${write('roots.crt', clientRoots)}`,
  ]
}

function addHba(file: string, lines: readonly string[]): void {
  writeFileSync(file, `${lines.join('\n')}\n${readFileSync(file, 'utf8')}`)
}
