/**
 * Servers and agents as real processes, ours or SPIRE's, from the very same configuration files and command
 * lines: what makes "drop-in" a thing that can be tested.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { agentConf, serverConf } from './config-text.ts'
import { freePort } from './free-port.ts'
import { type Result, type Running, run, start, until } from './process.ts'

export type Kind = 'steeple' | 'spire'

const root = join(import.meta.dirname, '..', '..')
const peers = join(process.env.STEEPLE_PEERS ?? join(homedir(), '.cache', 'steeple-peers'), 'bin')
/** The command under test; STEEPLE names another one, e.g. an installed package's. */
export const steeple = process.env.STEEPLE ?? join(root, 'steeple')

/** No command waits longer, however busy the machine is. */
const COMMAND = { timeoutMs: 60_000 } as const

/** The program and first words of a command, e.g. `./steeple server` or `spire-server`. */
export function program(
  kind: Kind,
  role: 'server' | 'agent',
): readonly [string, readonly string[]] {
  return kind === 'steeple' ? [steeple, [role]] : [join(peers, `spire-${role}`), []]
}

/** Whose command line asks what the tests themselves want to know: SPIRE's where it is, for it starts sooner. */
const prober = (kind: Kind): Kind => (existsSync(join(peers, 'spire-agent')) ? 'spire' : kind)

export interface Server extends AsyncDisposable {
  readonly kind: Kind
  readonly dir: string
  readonly port: number
  readonly socket: string
  readonly trustDomain: string
  process(): Running
  /** Runs a `spire-server`-style command of the given kind against this server's admin socket. */
  cli(by: Kind, ...args: readonly string[]): Promise<Result>
  /** Starts the process again after it ended or was killed. @param env further variables of it; as before if not given */
  restart(env?: Readonly<Record<string, string>>): Promise<void>
  /** A PEM file with the current bundle. */
  bundleFile(): Promise<string>
}

export interface ServerOptions {
  readonly trustDomain?: string
  /** Further lines of the `server` block. */
  readonly settings?: string
  /** Instead of DEBUG. */
  readonly logLevel?: string
  readonly keyStore?: string
  /** The `plugin_data` of the data store, instead of a SQLite file. */
  readonly dataStore?: string
  /** Instead of join tokens. */
  readonly nodeAttestor?: string
  /** Further lines of the `plugins` block. */
  readonly plugins?: string
  /** Further blocks of the file. */
  readonly blocks?: string
  /** Further variables of its environment. */
  readonly env?: Record<string, string>
}

export async function startServer(kind: Kind, options: ServerOptions = {}): Promise<Server> {
  const dir = mkdtempSync(join(tmpdir(), `${kind}-server-`))
  const port = await freePort()
  const trustDomain = options.trustDomain ?? 'example.org'
  const socket = join(dir, 'api.sock')
  const config = join(dir, 'server.conf')
  writeFileSync(config, serverConf({ dir, port, trustDomain, socket, options }))
  const [command, words] = program(kind, 'server')
  let variables = options.env ?? {}
  const launch = () => start(command, [...words, 'run', '-config', config], { env: variables })
  let running = launch()
  const cli = (by: Kind, ...args: readonly string[]) => {
    const [cliCommand, cliWords] = program(by, 'server')
    return run(cliCommand, [...cliWords, ...args, '-socketPath', socket], COMMAND)
  }
  const healthy = () => ready(running, `${kind} server`, () => cli(prober(kind), 'healthcheck'))
  const server: Server = {
    kind,
    dir,
    port,
    socket,
    trustDomain,
    process: () => running,
    cli,
    async restart(env = variables) {
      variables = env
      await running[Symbol.asyncDispose]()
      running = launch()
      await healthy()
    },
    async bundleFile() {
      const { stdout } = await cli(prober(kind), 'bundle', 'show')
      const path = join(dir, 'bundle.pem')
      writeFileSync(path, stdout)
      return path
    },
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true, force: true })
    },
  }
  return await orNone(server, healthy)
}

export interface Agent extends AsyncDisposable {
  readonly kind: Kind
  readonly dir: string
  readonly id: string
  readonly socket: string
  /** Socket of the agent's own administration; there only when it was asked for. */
  readonly adminSocket: string
  process(): Running
  /** Runs a `spire-agent`-style command of the given kind against this agent's Workload API socket. */
  cli(by: Kind, ...args: readonly string[]): Promise<Result>
  /** As `cli`, at the admin socket. */
  adminCli(by: Kind, ...args: readonly string[]): Promise<Result>
  healthy(): Promise<void>
  /** Ends the process if it still runs and starts it again. @param more flags of `run` */
  relaunch(...more: readonly string[]): Promise<void>
  /** As `relaunch`, until it is healthy. */
  restart(...more: readonly string[]): Promise<void>
}

export interface AgentOptions {
  /** Instead of the loopback address that the server listens on. */
  readonly serverAddress?: string
  readonly settings?: string
  /** Instead of DEBUG. */
  readonly logLevel?: string
  readonly keyStore?: string
  readonly workloadAttestor?: string
  /** Further lines of the `plugins` block. */
  readonly plugins?: string
  /** Instead of a fresh join token: the block, and the ID that it leads to. */
  readonly nodeAttestor?: { readonly block: string; readonly id: string }
  /** Instead of a fresh one. */
  readonly joinToken?: string
  /** Whether it listens on an admin socket. */
  readonly hasAdminSocket?: boolean
  /** Words before the command, e.g. of what starts it in another namespace. @param dir everything of the agent's */
  readonly under?: (dir: string) => readonly string[]
  /** Further blocks of the file. */
  readonly blocks?: string
  /** Further variables of its environment. */
  readonly env?: Record<string, string>
}

/** @param more flags of `token generate` */
export async function generateToken(server: Server, ...more: readonly string[]): Promise<string> {
  const generated = await server.cli(prober(server.kind), 'token', 'generate', ...more)
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
  const agent = await launchAgent(kind, server, options)
  return await orNone(agent, () => agent.healthy())
}

/** As `startAgent`, without waiting until it is healthy: for agents that are to be refused. */
export async function launchAgent(
  kind: Kind,
  server: Server,
  options: AgentOptions = {},
): Promise<Agent> {
  const dir = mkdtempSync(join(tmpdir(), `${kind}-agent-`))
  const socket = join(dir, 'public', 'api.sock')
  const adminSocket = join(dir, 'private', 'admin.sock')
  const config = join(dir, 'agent.conf')
  mkdirSync(join(dir, 'data'), { recursive: true })
  const bundle = await server.bundleFile()
  writeFileSync(config, agentConf({ dir, socket, adminSocket, bundle, server, options }))
  const token =
    options.nodeAttestor === undefined
      ? (options.joinToken ?? (await generateToken(server)))
      : undefined
  const [command, words] = program(kind, 'agent')
  const [first = command, ...rest] = [...(options.under?.(dir) ?? []), command]
  const launch = (...more: readonly string[]) =>
    start(first, [...rest, ...words, 'run', '-config', config, ...more], { env: options.env ?? {} })
  let running = launch(...(token === undefined ? [] : ['-joinToken', token]))
  const at =
    (path: string) =>
    (by: Kind, ...args: readonly string[]) => {
      const [cliCommand, cliWords] = program(by, 'agent')
      return run(cliCommand, [...cliWords, ...args, '-socketPath', path], COMMAND)
    }
  const cli = at(socket)
  const healthy = () => ready(running, `${kind} agent`, () => cli(prober(kind), 'healthcheck'))
  const relaunch = async (...more: readonly string[]) => {
    await running[Symbol.asyncDispose]()
    running = launch(...more)
  }
  return {
    kind,
    dir,
    id:
      options.nodeAttestor?.id ?? `spiffe://${server.trustDomain}/spire/agent/join_token/${token}`,
    socket,
    adminSocket,
    process: () => running,
    cli,
    adminCli: at(adminSocket),
    healthy,
    relaunch,
    async restart(...more) {
      await relaunch(...more)
      await healthy()
    },
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** What never becomes healthy is ended, and its directory goes with it. */
async function orNone<T extends AsyncDisposable>(it: T, healthy: () => Promise<void>): Promise<T> {
  try {
    await healthy()
    return it
  } catch (error) {
    await it[Symbol.asyncDispose]()
    throw error
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
