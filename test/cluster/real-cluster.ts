/** A whole Kubernetes: one that runs already, or one of our own that ends with us. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { isInstalled, start } from '../processes/process.ts'
import type { RealCluster } from './story.ts'

const peersScript = join(import.meta.dirname, '..', 'interop', 'peers')
export const peersBin = join(env.STEEPLE_PEERS ?? join(homedir(), '.cache', 'steeple-peers'), 'bin')

/** What the script itself starts; the rest is named by the cluster script when it misses something. */
const PROGRAMS = ['ctr', 'helm', 'kubelet', 'containerd', 'kube-apiserver', 'go-client']
const COMMANDS = ['kubectl', 'buildah', 'busybox', 'nft']

/** @returns names; empty when all are there */
export function missingPrograms(): readonly string[] {
  return [
    ...PROGRAMS.filter((name) => !existsSync(join(peersBin, name))),
    ...COMMANDS.filter((name) => !isInstalled(name)),
  ]
}

/** @param dir of a cluster that runs and is left running; undefined: one is started and ended */
export async function openRealCluster(
  dir: string | undefined,
): Promise<RealCluster & AsyncDisposable> {
  if (dir !== undefined && dir !== '') {
    return { ...of(dir, false), [Symbol.asyncDispose]: async () => {} }
  }
  const own = mkdtempSync(join(tmpdir(), 'steeple-cluster-'))
  const running = start('bash', [peersScript, 'cluster', own])
  await running.line(/^ready$/)
  return {
    ...of(own, true),
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      rmSync(own, { recursive: true, force: true })
    },
  }
}

const of = (dir: string, isOwn: boolean): RealCluster => ({
  ...{ dir, isOwn, kubeconfig: join(dir, 'kubeconfig') },
})

/**
 * The process of one part of a cluster, told by the file of that cluster in its command line.
 * @param file e.g. `kubelet.yaml`
 * @returns undefined when there is none
 */
export function partOf({ dir }: RealCluster, program: string, file: string): number | undefined {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const [command = '', ...args] = commandOf(entry)
    const isIt =
      command.endsWith(`/${program}`) && args.some((one) => one.endsWith(join(dir, file)))
    if (isIt) return Number(entry)
  }
  return undefined
}

function commandOf(pid: string): readonly string[] {
  try {
    return readFileSync(join('/proc', pid, 'cmdline'), 'utf8').split('\0')
  } catch {
    return [] // it has ended meanwhile
  }
}
