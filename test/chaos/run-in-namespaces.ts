/** Makes the machines of a run, and runs it on the one that has the database and the agents. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPods } from '../processes/netns.ts'
import { BASE, lackingNamespaces, PODS, SERVER_NAMES } from './network.ts'

export interface NamespaceOptions {
  readonly seconds: number
  readonly seed: number
  /** Simulated ones. */
  readonly agents: number
}

export interface Ended {
  /** 0: nothing happened that must not. */
  readonly code: number
  /** The report, as JSON. */
  readonly output: string
}

/** All servers at once, as DNS would have it. */
const SERVER_NAME = 'servers.chaos.test'
/** Of this process and of nobody else: the machine's own file stays as it is. */
const OWN_HOSTS = 'mount --bind "$0" /etc/hosts && exec "$@"'

/** @throws Error where there can be no namespaces */
export async function runInNamespaces(
  options: NamespaceOptions,
  signal: AbortSignal,
): Promise<Ended> {
  if (lackingNamespaces !== undefined) throw new Error(lackingNamespaces)
  await using pods = await startPods(PODS)
  const hosts = join(mkdtempSync(join(tmpdir(), 'chaos-hosts-')), 'hosts')
  const lines = SERVER_NAMES.map((name) => `${pods.ip(name)} ${SERVER_NAME}`)
  writeFileSync(hosts, `127.0.0.1 localhost\n${lines.join('\n')}\n`)
  const places = SERVER_NAMES.map((name) => `${pods.netns(name)}=${pods.ip(name)}`)
  try {
    const words = [
      ...['netns', 'exec', pods.netns(BASE), 'unshare', '--mount', 'sh', '-c', OWN_HOSTS, hosts],
      ...[process.execPath, join(import.meta.dirname, 'inside.ts')],
      ...Object.entries(options).map(([name, value]) => `--${name}=${value}`),
      ...[`--servers=${places.join()}`, `--base=${pods.ip(BASE)}`, `--name=${SERVER_NAME}`],
    ]
    const child = spawn('ip', words, { stdio: ['ignore', 'pipe', 'inherit'] })
    signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    const [code] = await once(child, 'close')
    return { code: typeof code === 'number' ? code : 1, output }
  } finally {
    rmSync(join(hosts, '..'), { recursive: true })
  }
}
