/** What every pair of proxies is: plaintext in at one, mutual TLS between them, plaintext out of the other. */
import { execFileSync } from 'node:child_process'
import { connect } from 'node:net'
import type { Running } from '../../test/processes/process.ts'
import { until } from '../../test/processes/process.ts'

export type Kind = 'steeple' | 'envoy' | 'haproxy'

/** `hbone`: as `tcp`, in tunnels over HTTP/2. */
export type Mode = 'tcp' | 'http' | 'hbone'

export interface PairOptions {
  readonly mode: Mode
  /** Rules that the called end judges each request by; of connections there is one. */
  readonly rules: number
  readonly backendPort: number
}

export interface Pair extends AsyncDisposable {
  readonly kind: Kind
  /** Where the caller connects. */
  readonly port: number
  /** The proxies alone, caller's end first. */
  readonly pids: readonly number[]
  /** What they said, for when something failed. */
  output(): string
}

/** The load and the server behind have a core of their own. */
const LOAD_CORE = 0
const PROXY_CORE = 1

const pin = (pid: number, core: number) =>
  execFileSync('taskset', ['-acp', String(core), String(pid)], { stdio: 'ignore' })

export const pinLoad = (pid: number): unknown => pin(pid, LOAD_CORE)

/** Waits until both listen, and ties both to one core. @param ports the caller's end first */
export async function asPair(
  kind: Kind,
  ports: readonly [number, number],
  running: readonly Running[],
  stack: AsyncDisposableStack,
): Promise<Pair> {
  for (const port of ports) await listening(kind, port, running)
  for (const { pid } of running) pin(pid, PROXY_CORE)
  const pids = running.map(({ pid }) => pid)
  const output = () => running.map((one) => one.output().slice(-1500)).join('\n')
  return { kind, port: ports[0], pids, output, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

export async function listening(
  what: string,
  port: number,
  running: readonly Running[],
): Promise<void> {
  await Promise.race([
    until(`${what} to listen`, () => connects(port)),
    ...running.map(async (one) => {
      const code = await one.ended
      throw new Error(`${what} ended with ${code}: ${one.output().slice(-2000)}`)
    }),
  ])
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
