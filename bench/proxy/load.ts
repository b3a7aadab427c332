/** Load by wrk, and what came of it. A run in which anything failed is no measurement. */
import { run } from '../../test/processes/process.ts'
import { processorMicros } from './cost.ts'
import type { Pair } from './pair.ts'

export interface LoadOptions {
  readonly connections: number
  readonly seconds: number
  readonly path: string
  /** A new connection for each request. */
  readonly isShort?: boolean
}

export interface Measured {
  readonly requests: number
  readonly perSecond: number
  /** Of both proxies together. */
  readonly microsEach: number
  readonly p99Ms: number
}

const UNITS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000 }

export async function load(pair: Pair, options: LoadOptions): Promise<Measured> {
  const { connections, seconds, path, isShort = false } = options
  const before = processorMicros(pair.pids)
  const { stdout, stderr, code } = await run('taskset', [
    ...['-c', '0', 'wrk', '-t', '1', '-c', String(connections), '-d', `${seconds}s`],
    ...['--timeout', '20s', '--latency'],
    ...(isShort ? ['-H', 'Connection: close'] : []),
    `http://127.0.0.1:${pair.port}${path}`,
  ])
  const used = processorMicros(pair.pids) - before
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1])
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1])
  const [, p99 = '', unit = ''] = /99%\s+([\d.]+)(us|ms|s|m)/.exec(stdout) ?? []
  if (code !== 0 || !(requests > 0) || /Non-2xx|Socket errors/.test(stdout)) {
    throw new Error(`${pair.kind} did not answer everything: ${stdout}${stderr}${pair.output()}`)
  }
  const p99Ms = Number(p99) * (UNITS[unit] ?? Number.NaN)
  return { requests, perSecond, microsEach: used / requests, p99Ms }
}
