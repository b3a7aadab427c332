/** How many workers serve: a number, or as many as there are cores for the process. */
import { availableParallelism } from 'node:os'
import { type Value, value } from '../../config/value.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { ProxyConfig } from '../config.ts'

/** Each has a heap and code of its own. */
export const MAX_WORKERS = 64
const EXPECTED = `a number from 1 to ${MAX_WORKERS}, or auto for one on each core`

/** One is this very process, without any worker. */
export function workerCount(): Value<number> {
  return value((node) => {
    const written = node.kind === 'string' ? node.value : node.kind === 'number' ? node.text : '-'
    if (written === '') return { kind: 'unset' }
    if (written === 'auto') {
      return { kind: 'value', value: Math.min(availableParallelism(), MAX_WORKERS) }
    }
    const count = /^[1-9]\d?$/.test(written) ? Number(written) : 0
    return count >= 1 && count <= MAX_WORKERS
      ? { kind: 'value', value: count }
      : { kind: 'wrong', message: `is ${JSON.stringify(written)}` }
  }, EXPECTED)
}

/** @throws IdentityError CONFIG_INVALID for what workers cannot share */
export function checkWorkers(path: string, { workers, outbound }: ProxyConfig): void {
  const unshared = outbound.find(({ listen }) => listen.kind === 'unix')
  if (workers === 1 || unshared === undefined) return
  const why = `proxy.outbound.${unshared.name} listens on a Unix socket, which workers cannot share`
  throw new IdentityError(
    'CONFIG_INVALID',
    `${path}: proxy.workers is ${workers} and ${why} (expected ip:port, or workers = 1)`,
  )
}
