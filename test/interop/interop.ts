/** Tests against other people's programs. One that is missing is said loudly, by name; nothing passes silently. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'
import { isInstalled } from '../processes/process.ts'

const root = process.env.STEEPLE_PEERS ?? join(homedir(), '.cache', 'steeple-peers')

const PROGRAMS = {
  'spire-server': join(root, 'bin', 'spire-server'),
  'spire-agent': join(root, 'bin', 'spire-agent'),
  'spiffe-helper': join(root, 'bin', 'spiffe-helper'),
  'oidc-discovery-provider': join(root, 'bin', 'oidc-discovery-provider'),
  'go-client': join(root, 'bin', 'go-client'),
  'mesh-client': join(root, 'bin', 'mesh-client'),
  pebble: join(root, 'bin', 'pebble'),
  helm: join(root, 'bin', 'helm'),
  grpcurl: join(root, 'bin', 'grpcurl'),
  h2spec: join(root, 'bin', 'h2spec'),
  h2load: 'h2load',
  curl: 'curl',
  'py-spiffe': join(root, 'py', 'bin', 'python'),
  pkilint: join(root, 'py', 'bin', 'lint_pkix_cert'),
  envoy: join(root, 'py', 'lib', 'python3.11', 'site-packages', 'envoy', '_bin', 'envoy'),
  openssl: 'openssl',
  etcd: join(root, 'bin', 'etcd'),
  'kube-apiserver': join(root, 'bin', 'kube-apiserver'),
  kubectl: 'kubectl',
  'spire-controller-manager': join(root, 'bin', 'spire-controller-manager'),
  ztunnel: join(root, 'bin', 'ztunnel'),
  python3: 'python3',
} as const

export type Peer = keyof typeof PROGRAMS

/** What `startKubernetes` starts and asks. */
export const API_SERVER = [
  'etcd',
  'kube-apiserver',
  'kubectl',
  'openssl',
] as const satisfies readonly Peer[]

/** The program of a peer; only for use inside a test that named it as needed. */
export function peer(name: Peer): string {
  return PROGRAMS[name]
}

function isThere(name: Peer): boolean {
  const program = PROGRAMS[name]
  return program.startsWith('/') ? existsSync(program) : isInstalled(program)
}

/** What is not there of what is needed, and how to get it; undefined: nothing is missing. */
export function lacking(needs: readonly Peer[]): string | undefined {
  const missing = needs.filter((name) => !isThere(name))
  if (missing.length === 0) return undefined
  const byHand = missing.includes('ztunnel') ? `, and put a ztunnel at ${PROGRAMS.ztunnel}` : ''
  // In no group: not every mirror of Go modules has it.
  const alone = missing.includes('spire-controller-manager') ? ' spire-controller-manager' : ''
  return `needs ${missing.join(', ')}: run test/interop/peers install identity proxy kube${alone}${byHand}`
}

/** A test that needs the named peers. Without them it is reported as skipped, with what to install. */
export function interop(title: string, needs: readonly Peer[], body: () => Promise<void>): void {
  const how = lacking(needs)
  if (how === undefined) {
    test(title, body)
    return
  }
  process.stderr.write(`SKIPPED ${title}: ${how}\n`)
  test.skip(`${title} (${how})`, () => {})
}
