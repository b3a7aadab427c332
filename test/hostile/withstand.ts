/** Attacks on gRPC against one door of a running process: its memory stays within a bound, its descriptors come back, and others are served. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { expect } from 'vitest'
import type { Running } from '../processes/process.ts'
import { until } from '../processes/process.ts'
import { ATTACKS, type Attack } from './hostile-calls.ts'
import { openRaw, type Place, pour } from './raw-http2.ts'

/** Descriptors that may be open for reasons of the process's own: its database, its log, other callers. */
export const SPARE_DESCRIPTORS = 32

/** A line of the process's status, in MiB. */
export const statusOf = (running: Running, line: string): number => {
  const status = readFileSync(`/proc/${running.pid}/status`, 'utf8')
  return Number(new RegExp(`^${line}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) / 1024
}
export const descriptorsOf = (running: Running): number =>
  readdirSync(`/proc/${running.pid}/fd`).length

/** From here on VmHWM is the most that it takes from here on. @see proc(5), clear_refs */
export const forgetPeak = (running: Running) =>
  writeFileSync(`/proc/${running.pid}/clear_refs`, '5')

interface UnderWay {
  readonly sockets: readonly Socket[]
  /** Whether all has been sent that the other end let it send; it may also just take no more. */
  isOver(): boolean
}

/** Begins an attack on all its connections; each is cut by the other end or by us. */
async function begin(
  { connections, isReading, pieces }: Attack,
  { place, method }: Pick<Door, 'place' | 'method'>,
): Promise<UnderWay> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => openRaw(place)))
  let left = connections
  for (const socket of sockets) {
    void pour(socket, pieces(method), isReading).then(() => {
      left -= 1
    })
  }
  return { sockets, isOver: () => left === 0 }
}

/** Times that somebody else is served while not a byte more is taken of an attack: then it has come to a standstill. */
const STANDSTILL = 10

/** Resolves when the attack has done its worst; others are served all the while. */
async function goOn({ sockets, isOver }: UnderWay, { isServed }: Door, name: string) {
  let taken = -1
  for (let still = 0; !isOver() && still < STANDSTILL; still += 1) {
    expect(await isServed(), `during ${name}`).toBe(true)
    const now = sockets.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0)
    if (now !== taken) still = 0
    taken = now
  }
}

export interface Door {
  readonly place: Place
  /** A call that a stranger may make there. */
  readonly method: string
  readonly process: Running
  /** What it may take. */
  readonly mib: number
  /** Somebody else is served. */
  isServed(): Promise<boolean>
}

export async function withstand(door: Door) {
  const { process, mib, isServed } = door
  // What the first call ever makes it load is nobody's attack.
  expect(await isServed(), 'before all of it').toBe(true)
  const before = { mib: statusOf(process, 'VmRSS'), descriptors: descriptorsOf(process) }
  for (const one of ATTACKS) {
    forgetPeak(process)
    const attacking = await begin(one, door)
    await goOn(attacking, door, one.name)
    expect(await isServed(), `while there are ${one.name}`).toBe(true)
    const grown = statusOf(process, 'VmHWM') - before.mib
    expect(grown, `MiB after ${one.name}`).toBeLessThan(mib)
    for (const socket of attacking.sockets) socket.destroy()
  }
  expect(await isServed(), 'after all of it').toBe(true)
  await until(
    'the descriptors to be given back',
    async () => descriptorsOf(process) <= before.descriptors + SPARE_DESCRIPTORS,
  )
}
