/** The process of a kube-apiserver of a test: stopped, continued, killed, and started again on the data that it left. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Running, start } from '../../processes/process.ts'

export interface ApiServerProcess {
  kill(signal: NodeJS.Signals): void
  /** After SIGKILL: the whole set-up anew, in the same directory, on the same ports. */
  startAgain(): Promise<AsyncDisposable & ApiServerProcess>
}

/** @param dir of the set-up, as `startKubernetes` has it */
export function apiServerOf(dir: string): ApiServerProcess {
  const { pid, words } = find(dir)
  const port = (name: string) => words.find((word) => word.startsWith(name))?.match(/\d+$/)?.[0]
  const ports = {
    KUBE_PORT: port('--secure-port=') ?? '',
    ETCD_PORT: port('--etcd-servers=') ?? '',
  }
  return {
    kill: (signal) => process.kill(pid, signal),
    async startAgain() {
      const script = join(import.meta.dirname, '..', 'peers')
      const running = await launch(script, dir, ports)
      return { ...apiServerOf(dir), [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() }
    },
  }
}

/** The script that ran it takes a moment to leave the ports. */
async function launch(script: string, dir: string, env: Record<string, string>): Promise<Running> {
  for (let attempt = 1; ; attempt++) {
    const running = start('bash', [script, 'kube', dir], { env })
    try {
      await running.line(/^ready$/)
      return running
    } catch (error) {
      await running[Symbol.asyncDispose]()
      if (attempt === MAX_ATTEMPTS) throw error
    }
  }
}

const MAX_ATTEMPTS = 5

function find(dir: string): { readonly pid: number; readonly words: readonly string[] } {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const words = readWords(name)
    if (words[0]?.endsWith('/kube-apiserver') && words.some((word) => word.includes(`${dir}/`))) {
      return { pid: Number(name), words }
    }
  }
  throw new Error(`no kube-apiserver runs on ${dir}`)
}

function readWords(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return [] // it has ended since
  }
}
