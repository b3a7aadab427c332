/** The proxy as a real process, beside agents of either kind. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Agent, type Server, steeple } from './cluster.ts'
import { startIn } from './netns.ts'
import { type Running, start } from './process.ts'

export interface ProxyOptions {
  /** Lines of the `proxy` block. */
  readonly settings: string
  /** File name → text. */
  readonly policies?: Readonly<Record<string, string>>
  /** Instead of the directory of policies: a block that names another source. */
  readonly policySource?: string
  readonly blocks?: string
  /** Network namespace that it runs in, by name; the tests' own when left out. */
  readonly netns?: string
}

export interface RunningProxy extends AsyncDisposable {
  readonly dir: string
  readonly policyDir: string
  process(): Running
  /** Where a listener took its place. */
  address(listener: string): Promise<{ readonly host: string; readonly port: number }>
  writePolicy(file: string, text: string): void
  /** Asks the admin endpoint. */
  admin(method: string, path: string, body?: object): Promise<AdminAnswer>
  accessLog: string
}

export interface AdminAnswer {
  readonly status: number
  readonly body: Record<string, unknown>
}

export async function startProxy(agent: Agent, options: ProxyOptions): Promise<RunningProxy> {
  const dir = mkdtempSync(join(tmpdir(), 'steeple-proxy-'))
  const policyDir = join(dir, 'policies')
  const accessLog = join(dir, 'access.log')
  const adminSocket = join(dir, 'admin.sock')
  mkdirSync(policyDir)
  const writePolicy = (file: string, text: string) => writeFileSync(join(policyDir, file), text)
  for (const [file, text] of Object.entries(options.policies ?? {})) writePolicy(file, text)
  const config = join(dir, 'proxy.conf')
  writeFileSync(
    config,
    `proxy {
  workload_api_socket = "${agent.socket}"
  ${options.policySource ?? `policy_dir = "${policyDir}"`}
  access_log = "${accessLog}"
  log_level = "DEBUG"
  log_format = "json"
  admin { listen = "unix:${adminSocket}" }
  ${options.settings}
}
${options.blocks ?? ''}
`,
  )
  const words = [steeple, 'proxy', 'run', '-config', config]
  const { netns } = options
  const running = netns === undefined ? start(steeple, words.slice(1)) : startIn(netns, words)
  await running.line(/"Listening"/)
  return {
    ...{ dir, policyDir, accessLog, writePolicy },
    process: () => running,
    async address(listener) {
      const pattern = new RegExp(`"listener":"${listener}","address":"([^"]+):(\\d+)"`)
      const [, host = '', port] = await running.line(pattern)
      return { host, port: Number(port) }
    },
    admin: (method, path, body) => ask(adminSocket, { method, path, body }),
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

interface Question {
  readonly method: string
  readonly path: string
  readonly body: object | undefined
}

function ask(socketPath: string, { method, path, body }: Question): Promise<AdminAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<AdminAnswer>()
  const asking = request({ socketPath, method, path }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk) => chunks.push(chunk))
    response.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) })
    })
  })
  asking.on('error', reject)
  asking.end(body === undefined ? undefined : JSON.stringify(body))
  return promise
}

/** An entry for the one user of a test, on the node of `agent`. @param more flags of `entry create` */
export async function giveIdentity(
  server: Server,
  agent: Agent,
  path: string,
  ...more: readonly string[]
): Promise<void> {
  const uid = process.getuid?.() ?? 0
  const words = ['entry', 'create', '-parentID', agent.id, '-selector', `unix:uid:${uid}`]
  const id = `spiffe://${server.trustDomain}${path}`
  const { code, stderr } = await server.cli(server.kind, ...words, '-spiffeID', id, ...more)
  if (code !== 0) throw new Error(`no entry for ${id}: ${stderr}`)
}
