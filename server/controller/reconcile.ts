/**
 * The controller's loop: gathers what changed in the cluster or in the store for a moment, looks again at what that
 * concerns, writes what has to be written. A round that fails is reported and done again; nothing of it is forgotten.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Log } from '../../log/open-log.ts'
import type { Bell } from '../../spiffe/bell.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { type CarryOutDeps, carryOut } from './carry-out.ts'
import type { DesiredEntries } from './desired-entries.ts'
import type { OwnedEntries } from './owned-entries.ts'
import { planKey } from './plan.ts'

export interface ReconcileDeps extends Omit<CarryOutDeps, 'owned'> {
  readonly desired: DesiredEntries
  readonly owned: OwnedEntries
  /** Rings at every change in the cluster, and at every commit of the store. */
  readonly bell: Bell
  /** How soon what could not be written is tried again. */
  readonly gcIntervalMs: number
  readonly clock: Clock
  readonly log: Log
  /** After each round that did something. @param failures key → why its entry is not as declared */
  readonly onSettled: (failures: ReadonlyMap<string, string>) => void
}

/** From the end of one round to the next: what comes within it is done together. */
const GATHER_MS = 20
/** Pods looked at, and entries planned, without letting other work in between. */
const MAX_AT_ONCE = 250
const FIRST_RETRY_MS = 200
const MAX_RETRY_MS = 15_000

/** Runs until the signal aborts. To be called when everything of the cluster has been read. */
export async function reconcile(deps: ReconcileDeps, signal: AbortSignal): Promise<void> {
  const { bell, clock, gcIntervalMs, log } = deps
  const round = createRounds(deps)
  let retryMs = FIRST_RETRY_MS
  while (!signal.aborted) {
    try {
      const isDone = await untilQuiet(round, bell, signal)
      retryMs = FIRST_RETRY_MS
      if (!isDone) {
        await clock.sleep(GATHER_MS, signal)
        continue
      }
      const done = clock.now().getTime()
      const woken = bell.signal()
      await clock.sleep(gcIntervalMs, AbortSignal.any([woken, signal]))
      if (!woken.aborted) round.retryFailures()
      // Who comes after a pause need not wait; what follows closely is gathered.
      const passedMs = Math.max(0, clock.now().getTime() - done)
      await clock.sleep(Math.max(0, GATHER_MS - passedMs), signal)
    } catch (err) {
      if (signal.aborted) return
      log.error({ err }, 'Entries of the cluster could not be brought up to date; trying again')
      await clock.sleep(retryMs, signal)
      retryMs = Math.min(retryMs * 2, MAX_RETRY_MS)
    }
  }
}

type Round = (signal: AbortSignal) => Promise<boolean>

/** Our own commits ring as well: a second look takes note of them, and mostly finds nothing to do. */
async function untilQuiet(round: Round, bell: Bell, signal: AbortSignal): Promise<boolean> {
  bell.reset()
  if (!(await round(signal))) return true
  bell.reset()
  return !(await round(signal))
}

function createRounds(deps: ReconcileDeps) {
  const { desired, owned, onSettled } = deps
  const { declarations } = desired
  /** Keys that are to be planned. */
  const open = new Set<string>()
  const failures = new Map<string, string>()
  const retryFailures = () => {
    for (const key of failures.keys()) open.add(key)
  }
  const write = async (keys: readonly string[]) => {
    const steps = keys.flatMap((key) => planKey(declarations.declared(key), owned.of(key)))
    const failed = await carryOut(steps, deps)
    tellNew(failed, failures, deps.log)
    for (const key of keys) {
      open.delete(key)
      failures.delete(key)
    }
    for (const [key, why] of failed) failures.set(key, why)
  }
  /** @returns whether there was anything to do */
  const round = async (signal: AbortSignal): Promise<boolean> => {
    const caught = await owned.catchUp()
    for (const key of caught.touched) open.add(key)
    if (caught.hasNewBundles) retryFailures()
    let hasLooked = false
    while (!signal.aborted && desired.settle(MAX_AT_ONCE) > 0) {
      hasLooked = true
      await nextTurn()
    }
    for (const key of declarations.takeTouched()) open.add(key)
    if (signal.aborted || (open.size === 0 && !hasLooked)) return false
    const keys = [...open]
    for (let at = 0; at < keys.length && !signal.aborted; at += MAX_AT_ONCE) {
      // Similar entries have one key, so that none of them is in another part.
      await write(keys.slice(at, at + MAX_AT_ONCE))
      await nextTurn()
    }
    onSettled(failures)
    return true
  }
  return Object.assign(round, { retryFailures })
}

/** Lines of the log for one round. */
const MAX_TOLD = 20

function tellNew(
  failed: ReadonlyMap<string, string>,
  known: ReadonlyMap<string, string>,
  log: Log,
): void {
  const fresh = [...failed].filter(([key, why]) => known.get(key) !== why)
  for (const [key, reason] of fresh.slice(0, MAX_TOLD)) {
    const [spiffe_id, parent_id] = key.split('\0')
    log.warn({ spiffe_id, parent_id, reason }, 'An entry could not be written')
  }
  const untold = fresh.length - MAX_TOLD
  if (untold > 0) log.warn({ count: untold }, 'More entries could not be written')
}
