/** What processes use, as the kernel counts it: processor time is the same whoever else uses the machine, or nearly. */
import { readdirSync, readFileSync } from 'node:fs'

/** Time on a processor so far, of all threads, in microseconds. */
export function processorMicros(pids: readonly number[]): number {
  let nanos = 0n
  for (const pid of pids) {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const [ran = '0'] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')
      nanos += BigInt(ran)
    }
  }
  return Number(nanos / 1000n)
}

/** Memory that is the processes' own, in KiB. */
export function privateKib(pids: readonly number[]): number {
  let kib = 0
  for (const pid of pids) {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
    for (const [, amount] of rollup.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB/gm)) {
      kib += Number(amount)
    }
  }
  return kib
}
