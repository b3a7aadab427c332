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
  'go-client': join(root, 'bin', 'go-client'),
  grpcurl: join(root, 'bin', 'grpcurl'),
  'py-spiffe': join(root, 'py', 'bin', 'python'),
  pkilint: join(root, 'py', 'bin', 'lint_pkix_cert'),
  openssl: 'openssl',
} as const

export type Peer = keyof typeof PROGRAMS

/** The program of a peer; only for use inside a test that named it as needed. */
export function peer(name: Peer): string {
  return PROGRAMS[name]
}

function isThere(name: Peer): boolean {
  const program = PROGRAMS[name]
  return program.startsWith('/') ? existsSync(program) : isInstalled(program)
}

/** A test that needs the named peers. Without them it is reported as skipped, with what to install. */
export function interop(title: string, needs: readonly Peer[], body: () => Promise<void>): void {
  const missing = needs.filter((name) => !isThere(name))
  if (missing.length === 0) {
    test(title, body)
    return
  }
  const how = `needs ${missing.join(', ')}: run test/interop/peers install identity`
  process.stderr.write(`SKIPPED ${title}: ${how}\n`)
  test.skip(`${title} (${how})`, () => {})
}
