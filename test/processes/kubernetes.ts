/** A real kube-apiserver with its own etcd, for tests that need an API server and no nodes: ready in five seconds. */
import { mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { freePort } from './free-port.ts'
import { type Result, type Running, run, start } from './process.ts'

const peersScript = join(import.meta.dirname, '..', 'interop', 'peers')
const bin = join(env.STEEPLE_PEERS ?? join(homedir(), '.cache', 'steeple-peers'), 'bin')

export interface Kubernetes extends AsyncDisposable {
  /** Of the cluster's administrator. */
  readonly kubeconfig: string
  /** The folder with `ca.crt` and the rest. */
  readonly dir: string
  /** Runs kubectl as the administrator; `input` for `apply -f -`. */
  kubectl(args: readonly string[], input?: string): Promise<Result>
  /** As `kubectl`; throws with what it printed when it fails. @returns standard output */
  mustKubectl(args: readonly string[], input?: string): Promise<string>
  /** A token of this service account, as `kubectl create token` makes it. */
  token(namespace: string, serviceAccount: string, args?: readonly string[]): Promise<string>
}

/** A free port may be taken by another before it is used. */
const MAX_ATTEMPTS = 4

/** @param extraArgs for kube-apiserver */
export async function startKubernetes(extraArgs = ''): Promise<Kubernetes> {
  const dir = mkdtempSync(join(tmpdir(), 'kube-'))
  const server = await launch(dir, extraArgs)
  const kubeconfig = join(dir, 'kubeconfig')
  const kubectl = (args: readonly string[], input?: string) =>
    run('kubectl', ['--kubeconfig', kubeconfig, ...args], {
      timeoutMs: 60_000,
      env: { PATH: `${bin}:${env.PATH}` },
      ...(input === undefined ? {} : { input }),
    })
  const mustKubectl = async (args: readonly string[], input?: string) => {
    const { code, stdout, stderr } = await kubectl(args, input)
    if (code === 0) return stdout
    throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`)
  }
  return {
    ...{ kubeconfig, dir, kubectl, mustKubectl },
    token: async (namespace, serviceAccount, args = []) =>
      (await mustKubectl(['create', 'token', '-n', namespace, serviceAccount, ...args])).trim(),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

async function launch(dir: string, extraArgs: string): Promise<Running> {
  for (let attempt = 1; ; attempt += 1) {
    const env = {
      KUBE_PORT: String(await freePort()),
      ETCD_PORT: String(await freePort()),
      ETCD_PEER_PORT: String(await freePort()),
      KUBE_ARGS: extraArgs,
    }
    const server = start('bash', [peersScript, 'kube', dir], { env })
    try {
      await server.line(/^ready$/)
      return server
    } catch (error) {
      await server[Symbol.asyncDispose]()
      rmSync(join(dir, 'etcd'), { recursive: true, force: true })
      if (attempt === MAX_ATTEMPTS) throw error
    }
  }
}
