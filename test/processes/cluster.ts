/**
 * Servers and agents as real processes, ours or SPIRE's, from the very same configuration files and command
 * lines: what makes "drop-in" a thing that can be tested.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Result, type Running, run, start, until } from './process.ts'

export type Kind = 'steeple' | 'spire'

const root = join(import.meta.dirname, '..', '..')
const peers = join(process.env.STEEPLE_PEERS ?? join(homedir(), '.cache', 'steeple-peers'), 'bin')
/** The command under test; STEEPLE names another one, e.g. an installed package's. */
export const steeple = process.env.STEEPLE ?? join(root, 'steeple')

/** The program and first words of a command, e.g. `./steeple server` or `spire-server`. */
function program(kind: Kind, role: 'server' | 'agent'): readonly [string, readonly string[]] {
  return kind === 'steeple' ? [steeple, [role]] : [join(peers, `spire-${role}`), []]
}

export interface Server extends AsyncDisposable {
  readonly kind: Kind
  readonly dir: string
  readonly port: number
  readonly socket: string
  readonly trustDomain: string
  process(): Running
  /** Runs a `spire-server`-style command of the given kind against this server's admin socket. */
  cli(by: Kind, ...args: readonly string[]): Promise<Result>
  /** Starts the process again after it ended or was killed. */
  restart(): Promise<void>
  /** A PEM file with the current bundle. */
  bundleFile(): Promise<string>
}

export interface ServerOptions {
  readonly trustDomain?: string
  /** Further lines of the `server` block. */
  readonly settings?: string
  readonly keyStore?: string
  /** Instead of join tokens. */
  readonly nodeAttestor?: string
  /** Further lines of the `plugins` block. */
  readonly plugins?: string
  /** Further blocks of the file. */
  readonly blocks?: string
}

export async function startServer(kind: Kind, options: ServerOptions = {}): Promise<Server> {
  const dir = mkdtempSync(join(tmpdir(), `${kind}-server-`))
  const port = await freePort()
  const trustDomain = options.trustDomain ?? 'example.org'
  const socket = join(dir, 'api.sock')
  const config = join(dir, 'server.conf')
  writeFileSync(config, serverConf({ dir, port, trustDomain, socket, options }))
  const [command, words] = program(kind, 'server')
  const launch = () => start(command, [...words, 'run', '-config', config])
  let running = launch()
  const cli = (by: Kind, ...args: readonly string[]) => {
    const [cliCommand, cliWords] = program(by, 'server')
    return run(cliCommand, [...cliWords, ...args, '-socketPath', socket])
  }
  const healthy = () => ready(running, `${kind} server`, () => cli(kind, 'healthcheck'))
  await healthy()
  return {
    kind,
    dir,
    port,
    socket,
    trustDomain,
    process: () => running,
    cli,
    async restart() {
      await running[Symbol.asyncDispose]()
      running = launch()
      await healthy()
    },
    async bundleFile() {
      const { stdout } = await cli(kind, 'bundle', 'show')
      const path = join(dir, 'bundle.pem')
      writeFileSync(path, stdout)
      return path
    },
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

export interface Agent extends AsyncDisposable {
  readonly kind: Kind
  readonly dir: string
  readonly id: string
  readonly socket: string
  process(): Running
  /** Runs a `spire-agent`-style command of the given kind against this agent's Workload API socket. */
  cli(by: Kind, ...args: readonly string[]): Promise<Result>
  restart(): Promise<void>
}

export interface AgentOptions {
  readonly settings?: string
  readonly keyStore?: string
  readonly workloadAttestor?: string
  /** Instead of a fresh join token: the block, and the ID that it leads to. */
  readonly nodeAttestor?: { readonly block: string; readonly id: string }
  /** Further blocks of the file. */
  readonly blocks?: string
}

async function generateToken(server: Server): Promise<string> {
  const generated = await server.cli(server.kind, 'token', 'generate')
  const token = generated.stdout.match(/Token: (\S+)/)?.[1]
  if (token === undefined) throw new Error(`no token: ${generated.stdout}${generated.stderr}`)
  return token
}

/** Starts an agent of either kind under a server of either kind, attested by a fresh join token unless told otherwise. */
export async function startAgent(
  kind: Kind,
  server: Server,
  options: AgentOptions = {},
): Promise<Agent> {
  const dir = mkdtempSync(join(tmpdir(), `${kind}-agent-`))
  const socket = join(dir, 'public', 'api.sock')
  const config = join(dir, 'agent.conf')
  const bundle = await server.bundleFile()
  writeFileSync(config, agentConf({ dir, socket, bundle, server, options }))
  const token = options.nodeAttestor === undefined ? await generateToken(server) : undefined
  const [command, words] = program(kind, 'agent')
  const launch = (...more: readonly string[]) =>
    start(command, [...words, 'run', '-config', config, ...more])
  let running = launch(...(token === undefined ? [] : ['-joinToken', token]))
  const cli = (by: Kind, ...args: readonly string[]) => {
    const [cliCommand, cliWords] = program(by, 'agent')
    return run(cliCommand, [...cliWords, ...args, '-socketPath', socket])
  }
  const healthy = () => ready(running, `${kind} agent`, () => cli(kind, 'healthcheck'))
  await healthy()
  return {
    kind,
    dir,
    id:
      options.nodeAttestor?.id ?? `spiffe://${server.trustDomain}/spire/agent/join_token/${token}`,
    socket,
    process: () => running,
    cli,
    async restart() {
      await running[Symbol.asyncDispose]()
      running = launch()
      await healthy()
    },
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

async function ready(running: Running, what: string, check: () => Promise<Result>): Promise<void> {
  let over: number | string | undefined
  void running.ended.then((how) => {
    over = how
  })
  const healthy = until(`${what} to be healthy`, async () => {
    if (over !== undefined) return true
    return (await check()).code === 0
  })
  await healthy.catch((error) => {
    throw new Error(`${what} never became healthy:\n${running.output()}`, { cause: error })
  })
  if (over !== undefined) throw new Error(`${what} ended with ${over}:\n${running.output()}`)
}

const JOIN_TOKEN = 'NodeAttestor "join_token" { plugin_data {} }'

interface ServerConf {
  readonly dir: string
  readonly port: number
  readonly trustDomain: string
  readonly socket: string
  readonly options: ServerOptions
}

function serverConf({ dir, port, trustDomain, socket, options }: ServerConf): string {
  const keys =
    options.keyStore ?? `KeyManager "disk" { plugin_data { keys_path = "${dir}/keys.json" } }`
  return `server {
  bind_address = "127.0.0.1"
  bind_port = "${port}"
  socket_path = "${socket}"
  trust_domain = "${trustDomain}"
  data_dir = "${dir}"
  log_level = "DEBUG"
  ratelimit { attestation = false  signing = false }
  ${options.settings ?? ''}
}
plugins {
  DataStore "sql" {
    plugin_data { database_type = "sqlite3"  connection_string = "${dir}/datastore.sqlite3" }
  }
  ${keys}
  ${options.nodeAttestor ?? JOIN_TOKEN}
  ${options.plugins ?? ''}
}
${options.blocks ?? ''}
`
}

interface AgentConf {
  readonly dir: string
  readonly socket: string
  readonly bundle: string
  readonly server: Server
  readonly options: AgentOptions
}

function agentConf({ dir, socket, bundle, server, options }: AgentConf): string {
  mkdirSync(join(dir, 'data'), { recursive: true })
  const keys = options.keyStore ?? `KeyManager "disk" { plugin_data { directory = "${dir}/data" } }`
  return `agent {
  data_dir = "${dir}/data"
  server_address = "127.0.0.1"
  server_port = "${server.port}"
  socket_path = "${socket}"
  trust_domain = "${server.trustDomain}"
  trust_bundle_path = "${bundle}"
  log_level = "DEBUG"
  ${options.settings ?? ''}
}
plugins {
  ${keys}
  ${options.nodeAttestor?.block ?? JOIN_TOKEN}
  WorkloadAttestor "unix" { plugin_data { ${options.workloadAttestor ?? ''} } }
}
${options.blocks ?? ''}
`
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => probe.once('listening', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
