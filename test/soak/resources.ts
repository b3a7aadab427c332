/**
 * What a process holds, sampled while it works, and whether that is flat. Flat memory is judged by the second half alone,
 * because caches, pools and compiled code grow to begin with, and by Theil and Sen's slope, the median of the slopes
 * of all pairs, because the collector's steps would carry a line of least squares away.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { systemClock } from '../../spiffe/clock.ts'

export interface Sample {
  /** Since the first sample. */
  readonly seconds: number
  readonly residentMib: number
  readonly descriptors: number
  readonly threads: number
}

export interface Course {
  readonly name: string
  readonly samples: readonly Sample[]
}

/** What the second half says. */
export interface Trend {
  readonly residentMib: { readonly first: number; readonly last: number; readonly most: number }
  /** Of resident memory, in MiB for each hour. */
  readonly mibAnHour: number
  /** What it grew by over the second half, by that slope, in MiB. */
  readonly grownMib: number
  /** Median of the third and of the fourth quarter. */
  readonly descriptors: readonly [number, number]
  readonly threads: readonly [number, number]
}

/** Memory may grow by this part of itself over the second half, or by this many MiB, whichever is more. */
const FLAT = { part: 0.05, mib: 8 } as const
/** Connections come and go while they are counted. */
const FLAT_DESCRIPTORS = 10
/** Fewer say nothing. */
const LEAST_SAMPLES = 8

/** @throws the system's error when the process has ended */
export function sampleOf(pid: number, sinceMs: number): Sample {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const numberOf = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1])
  return {
    seconds: (systemClock.now().getTime() - sinceMs) / 1_000,
    residentMib: numberOf('VmRSS') / 1024,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: numberOf('Threads'),
  }
}

/** Samples all of them every `everyMs` until `signal` aborts. @throws the system's error when one of them has ended */
export async function watchResources(
  pids: Readonly<Record<string, number>>,
  everyMs: number,
  signal: AbortSignal,
): Promise<readonly Course[]> {
  const sinceMs = systemClock.now().getTime()
  const courses = Object.entries(pids).map(([name, pid]) => ({
    name,
    pid,
    samples: [] as Sample[],
  }))
  while (!signal.aborted) {
    for (const { pid, samples } of courses) samples.push(sampleOf(pid, sinceMs))
    await systemClock.sleep(everyMs, signal)
  }
  return courses
}

export function trendOf(samples: readonly Sample[]): Trend {
  const half = samples.slice(Math.floor(samples.length / 2))
  const resident = half.map(({ residentMib }) => residentMib)
  const seconds = (half.at(-1)?.seconds ?? 0) - (half[0]?.seconds ?? 0)
  const slope = slopeOf(half)
  return {
    residentMib: {
      first: round(resident[0] ?? 0),
      last: round(resident.at(-1) ?? 0),
      most: round(Math.max(0, ...resident)),
    },
    mibAnHour: round(slope * 3_600),
    grownMib: round(slope * seconds),
    descriptors: quarters(half.map((one) => one.descriptors)),
    threads: quarters(half.map((one) => one.threads)),
  }
}

/** Why the course is not flat; none: it is. */
export function unevennessOf({ name, samples }: Course): readonly string[] {
  if (samples.length < LEAST_SAMPLES) {
    return [`${name}: ${samples.length} samples, at least ${LEAST_SAMPLES} say something`]
  }
  const { grownMib, residentMib, descriptors, threads } = trendOf(samples)
  const mostMib = Math.max(FLAT.mib, residentMib.first * FLAT.part)
  const found: string[] = []
  if (grownMib > mostMib) {
    found.push(
      `${name}: memory grew by ${grownMib} MiB in the second half, at most ${mostMib} is flat`,
    )
  }
  if (descriptors[1] > descriptors[0] + FLAT_DESCRIPTORS) {
    found.push(`${name}: file descriptors grew from ${descriptors[0]} to ${descriptors[1]}`)
  }
  if (threads[1] > threads[0]) {
    found.push(`${name}: threads grew from ${threads[0]} to ${threads[1]}`)
  }
  return found
}

/** MiB for each second. */
function slopeOf(samples: readonly Sample[]): number {
  const slopes: number[] = []
  for (const [at, one] of samples.entries()) {
    for (const other of samples.slice(at + 1)) {
      const seconds = other.seconds - one.seconds
      if (seconds > 0) slopes.push((other.residentMib - one.residentMib) / seconds)
    }
  }
  return median(slopes)
}

function quarters(values: readonly number[]): readonly [number, number] {
  const middle = Math.floor(values.length / 2)
  return [median(values.slice(0, middle)), median(values.slice(middle))]
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

const round = (value: number): number => Math.round(value * 10) / 10
