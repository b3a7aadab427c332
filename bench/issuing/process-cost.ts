/** What one process has used, as the kernel counts it, threads that have ended among it. */
import { readFileSync } from 'node:fs'

/** Of a clock tick of the kernel. */
const TICK_MICROS = 10_000

/** User and system time of all threads since the start, in microseconds, in steps of ten thousand. */
export function cpuMicros(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The name, in parentheses, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MICROS
}

/** Resident memory, in KiB. */
export function residentKib(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1])
}

/** As `cpuMicros`, of the first thread alone: in Node, the one that runs all JavaScript which no worker runs. */
export function firstThreadMicros(pid: number): number {
  const [nanos = '0'] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'latin1').split(' ')
  return Number(nanos) / 1_000
}
