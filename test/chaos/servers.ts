/** Three servers of one trust domain on one database, each in its network namespace, killed, stopped and started at will. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { credentials } from '@grpc/grpc-js'
import { entryApi } from '../../proto/load.ts'
import { systemClock } from '../../spiffe/clock.ts'
import { type Admin, connectAdmin } from '../kill/clients.ts'
import { program, type Server } from '../processes/cluster.ts'
import { serverConf } from '../processes/config-text.ts'
import { startIn } from '../processes/netns.ts'
import { type Running, run } from '../processes/process.ts'
import { SERVER_PORT, type ServerName } from './network.ts'
import type { ServerLog, Standstill } from './turn-logs.ts'

export const TRUST_DOMAIN = 'example.org'

/** Renewals fall into every outage: each life is a few of them long. */
const SETTINGS = 'default_x509_svid_ttl = "90s"  agent_ttl = "4m"'
const START_MS = 90_000

export interface ChaosServer extends AsyncDisposable {
  readonly name: ServerName
  readonly netns: string
  readonly host: string
  /** As the other test programs know a server. */
  readonly asServer: Server
  readonly admin: Admin
  /** SIGKILL, to the end of it. */
  kill(): Promise<void>
  /** Starts it again after it was killed. */
  launch(): void
  /** Until its admin socket answers. */
  ready(): Promise<void>
  /** SIGSTOP and SIGCONT. */
  pause(): void
  goOn(): void
  /** All that its processes have printed, one after the other, when each was killed and when it stood still. */
  logs(): readonly Omit<ServerLog, 'server'>[]
}

export interface ServerPlace {
  readonly name: ServerName
  readonly netns: string
  readonly host: string
  /** Of the shared database, reached over the network. */
  readonly connection: string
}

/** @param place where it runs @returns as soon as it has been launched */
export function launchServer(place: ServerPlace): ChaosServer {
  const { name, netns, host, connection } = place
  const dir = mkdtempSync(join(tmpdir(), `chaos-${name}-`))
  const socket = join(dir, 'api.sock')
  const config = join(dir, 'server.conf')
  const options = {
    settings: SETTINGS,
    dataStore: `database_type = "postgres"  connection_string = "${connection}"`,
  }
  const conf = { dir, port: SERVER_PORT, trustDomain: TRUST_DOMAIN, socket, options }
  const text = serverConf(conf).replace('"127.0.0.1"', `"${host}"`).replace('"DEBUG"', '"INFO"')
  writeFileSync(config, `${text.replace('log_level', 'log_format = "json"\n  log_level')}`)
  const [command, words] = program('steeple', 'server')
  const begin = () => startIn(netns, [command, ...words, 'run', '-config', config])
  const past: Omit<ServerLog, 'server'>[] = []
  const nowMs = () => systemClock.now().getTime()
  let standstills: Standstill[] = []
  let stoppedMs = 0
  let running: Running = begin()
  const cli: Server['cli'] = (by, ...args) => {
    const [cliCommand, cliWords] = program(by, 'server')
    return run(cliCommand, [...cliWords, ...args, '-socketPath', socket], { timeoutMs: 60_000 })
  }
  const admin = connectAdmin(socket)
  const asServer: Server = {
    ...{ kind: 'steeple', dir, port: SERVER_PORT, socket, trustDomain: TRUST_DOMAIN, cli },
    process: () => running,
    restart: () => Promise.reject(new Error('servers of a chaos run are killed and launched')),
    async bundleFile() {
      const path = join(dir, 'bundle.pem')
      writeFileSync(path, (await cli('steeple', 'bundle', 'show')).stdout)
      return path
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  }
  return {
    ...{ name, netns, host, asServer, admin },
    async kill() {
      const killed = running
      killed.kill('SIGKILL')
      const killedMs = nowMs()
      const how = await killed.ended
      past.push({ text: killed.output(), killedMs, standstills })
      standstills = []
      if (how !== 'SIGKILL') throw new Error(`${name} ended by itself with ${how}: ${said(killed)}`)
    },
    launch() {
      running = begin()
    },
    async ready() {
      await Promise.race([answers(socket), endedEarly(name, running)])
    },
    pause() {
      stoppedMs = nowMs()
      running.kill('SIGSTOP')
    },
    goOn() {
      standstills.push({ fromMs: stoppedMs, untilMs: nowMs() })
      running.kill('SIGCONT')
    },
    logs: () => [...past, { text: running.output(), killedMs: undefined, standstills }],
    async [Symbol.asyncDispose]() {
      running.kill('SIGCONT')
      admin[Symbol.dispose]()
      await running[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

async function answers(socket: string): Promise<void> {
  const client = new (entryApi())(`unix:${socket}`, credentials.createInsecure(), {
    'grpc.max_reconnect_backoff_ms': 200,
    'grpc.use_local_subchannel_pool': 1,
  })
  try {
    await new Promise<void>((resolve, reject) => {
      const deadline = systemClock.now().getTime() + START_MS
      client.waitForReady(deadline, (error) => (error ? reject(error) : resolve()))
    })
  } finally {
    client.close()
  }
}

async function endedEarly(name: string, running: Running): Promise<never> {
  const how = await running.ended
  throw new Error(`${name} does not start, it ended with ${how}: ${said(running)}`)
}

const SAID_CHARS = 4_000
const said = (running: Running) => running.output().slice(-SAID_CHARS)
