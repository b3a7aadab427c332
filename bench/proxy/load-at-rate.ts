/** How late answers come at a rate that all pairs can do: what somebody feels who does not ask for the most. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../../test/processes/process.ts'
import { spread } from '../percentiles.ts'
import type { Pair } from './pair.ts'

export interface RateOptions {
  readonly connections: number
  readonly seconds: number
  readonly path: string
  /** Requests of all connections together. */
  readonly perSecond: number
}

/** Of handshakes, which everybody's answers wait for in the beginning. */
const LEFT_OUT_MICROS = 1_000_000

/** @returns the 99th percentile of answer times, in milliseconds, by h2load over HTTP/1.1 */
export async function p99AtRate(pair: Pair, options: RateOptions): Promise<number> {
  const { connections, seconds, path, perSecond } = options
  const dir = mkdtempSync(join(tmpdir(), 'steeple-rate-'))
  try {
    const log = join(dir, 'log')
    const { stdout, stderr, code } = await run('taskset', [
      ...['-c', '0', 'h2load', '--h1', '-t', '1', '-c', String(connections), '-D', `${seconds}`],
      ...['--rps', String(Math.round(perSecond / connections)), '--log-file', log],
      `http://127.0.0.1:${pair.port}${path}`,
    ])
    const lines = readFileSync(log, 'utf8').trim().split('\n')
    const answers = lines.map((line) => line.split('\t').map(Number))
    const isFailed = answers.some(([, status]) => status !== 200)
    if (code !== 0 || isFailed || answers.length < (perSecond * seconds) / 2) {
      throw new Error(`${pair.kind} did not answer everything: ${stdout}${stderr}${pair.output()}`)
    }
    const [first = 0] = answers.map(([startedAt = 0]) => startedAt).sort((a, b) => a - b)
    const settled = answers.filter(([startedAt = 0]) => startedAt > first + LEFT_OUT_MICROS)
    return spread(settled.map(([, , micros = Number.NaN]) => micros / 1_000)).p99
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
