/**
 * A process of many workloads, told over its IPC channel what they are and when to begin. From then on each of them calls
 * others at random, at intervals and whenever a new SVID has come, and keeps one connection open. Ends with its parent.
 */
import { systemClock } from '../../../spiffe/clock.ts'
import { systemRandom } from '../../../spiffe/random.ts'
import { pick } from '../../fakes/seeded.ts'
import { call, stay } from './call.ts'
import type { CrowdPlan, FromCrowd, Place, StormBegins, ToCrowd } from './messages.ts'
import { createTally, type Tally } from './tally.ts'
import { openWorkload, type StormWorkload } from './workload.ts'

/** Between two bytes on a connection that stays open. */
const ECHO_MS = 2_000

interface Crowd {
  readonly tally: Tally
  readonly workloads: StormWorkload[]
  /** Everybody, of all crowds; none before the storm begins. */
  places: readonly Place[]
  readonly over: AbortController
  readonly running: Promise<void>[]
}

const crowd: Crowd = {
  tally: createTally(),
  workloads: [],
  places: [],
  over: new AbortController(),
  running: [],
}

const tell = (message: FromCrowd) => process.send?.(message)

async function gather({ members, workloadSocket }: CrowdPlan): Promise<void> {
  const { tally, over } = crowd
  await Promise.all(
    members.map(async (member) => {
      let workload: StormWorkload | undefined
      workload = await openWorkload(workloadSocket, member, {
        onSvid(now, before) {
          tally.svid(now, before)
          if (workload !== undefined && before !== undefined) void callOne(workload, true)
        },
        onBroken(error) {
          // Before its first SVID it only asks again, as any workload does whose entry has not come to its node yet.
          if (workload !== undefined && !over.signal.aborted) tally.broken(member.id, error)
        },
        onRefused: (error) => tally.refused(error),
      })
      crowd.workloads.push(workload)
    }),
  )
  const places = crowd.workloads.map(({ id, port }) => ({ id, port }))
  tell({ kind: 'ready', places })
}

async function callOne(from: StormWorkload, isAfterRotation: boolean): Promise<void> {
  const to = pick(systemRandom, crowd.places)
  if (to === undefined || crowd.over.signal.aborted) return
  try {
    await call(from, to)
    crowd.tally.called(isAfterRotation)
  } catch (error) {
    if (!crowd.over.signal.aborted) crowd.tally.failed(from.id, to.id, from.identity, error)
  }
}

async function keepCalling(from: StormWorkload, everyMs: number): Promise<void> {
  const { signal } = crowd.over
  await systemClock.sleep(systemRandom() * everyMs, signal) // not all at once
  while (!signal.aborted) {
    await callOne(from, false)
    await systemClock.sleep(everyMs, signal)
  }
}

async function keepOpen(from: StormWorkload): Promise<void> {
  const { tally, places, over } = crowd
  const to = pick(systemRandom, places)
  if (to === undefined) return
  try {
    await stay(from, to, { everyMs: ECHO_MS, onEcho: tally.echoed }, over.signal)
  } catch (error) {
    if (!over.signal.aborted) tally.failed(from.id, to.id, from.identity, error)
  }
}

function begin({ places, callEveryMs }: StormBegins): void {
  crowd.places = places
  for (const workload of crowd.workloads) {
    crowd.running.push(keepCalling(workload, callEveryMs), keepOpen(workload))
  }
}

/** What has been seen counts up to this moment: what the others' going does to calls is no failure. */
async function end(): Promise<void> {
  crowd.over.abort()
  tell({ kind: 'report', report: crowd.tally.report() })
  await Promise.all(crowd.running)
  await Promise.all(crowd.workloads.map((workload) => workload[Symbol.asyncDispose]()))
  process.disconnect()
}

process.on('message', (message: ToCrowd) => {
  switch (message.kind) {
    case 'plan':
      void gather(message)
      break
    case 'begin':
      begin(message)
      break
    case 'end':
      void end()
      break
    default:
      message satisfies never
  }
})
process.once('disconnect', () => process.exit())
