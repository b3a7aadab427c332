/** A guided rotation at all servers of a trust domain, from any one of them, with the flags of `authority rotate`. */
import type { GetOverviewResponse } from '../../proto/gen/steeple/server/authority/v1/GetOverviewResponse.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { Session } from '../command.ts'
import type { OutputFormat } from '../flag/kinds.ts'
import { stopOnSignals } from '../stop-on-signals.ts'
import type { RotatedKind } from './authority-calls.ts'
import { type AllReport, reportOfAll } from './report-all.ts'
import {
  chooseTargets,
  isLiving,
  keyOf,
  nextSteps,
  type Part,
  type WishOfAll,
} from './rotation-of-all.ts'
import type { Step } from './rotation-step.ts'
import type { ServerCalls } from './server-calls.ts'

export interface AllFlags {
  readonly named: readonly string[]
  readonly without: readonly string[]
  readonly until: Step
  readonly isForced: boolean
  readonly mode: 'rotate' | 'tell' | 'status' | 'abort'
  readonly output: OutputFormat | undefined
}

/** Between two looks, each of which all servers answer. */
const LOOK_MS = 2_000
/** The exit code of who was stopped by a signal, with steps left. */
export const STOPPED = 3

/** @returns the exit code, as `authority rotate` has it */
export async function rotateAll(
  kind: RotatedKind,
  calls: ServerCalls,
  overview: GetOverviewResponse,
  flags: AllFlags,
  session: Session,
): Promise<number> {
  const report = reportOfAll(kind, flags, session.terminal)
  if (flags.mode === 'abort') return await abortAll(kind, calls, overview, report)
  const chosen = chooseTargets(overview, flags.named, flags.without)
  const { until, isForced, without } = flags
  if (flags.mode === 'status') {
    const targets = chosen.kind === 'targets' ? chosen.ids : []
    const wish = { targets, until, isForced, without }
    report.status(overview, targets.length === 0 ? [] : nextSteps(overview, wish))
    if (chosen.kind === 'refused') report.said(chosen.why)
    return 0
  }
  if (chosen.kind === 'refused') throw invalid(chosen.why)
  if (chosen.ids.length === 0) throw invalid('no server signs with anything that could go')
  const wish = { targets: chosen.ids, until, isForced, without }
  if (flags.mode === 'tell') {
    report.status(overview, nextSteps(overview, wish))
    throw invalid('nothing was changed; add -yes to take the steps')
  }
  report.begin(wish.targets)
  return await takeSteps(kind, calls, wish, report, session)
}

async function takeSteps(
  kind: RotatedKind,
  calls: ServerCalls,
  wish: WishOfAll,
  report: AllReport,
  session: Session,
): Promise<number> {
  using stop = stopOnSignals()
  const taken = new Set<string>()
  while (!stop.signal.aborted) {
    const overview = await calls.overview(kind)
    if (overview === undefined) throw invalid('the server does not know of other servers any more')
    const check = chooseTargets(overview, [], wish.without)
    // A server that died meanwhile is named; nothing goes on without the operator's word.
    if (check.kind === 'refused' && overview.servers.some((one) => isMissing(one, wish))) {
      throw invalid(check.why)
    }
    const parts = nextSteps(overview, wish)
    if (parts.every(({ decision }) => decision.kind === 'done')) {
      report.done(parts)
      await forgetGone(calls, wish, report)
      return 0
    }
    const steps = parts.filter(({ decision }) => decision.kind === 'take')
    for (const part of steps) await takeStep(kind, calls, part, { wish, taken, report })
    if (steps.length > 0) continue
    report.waiting(parts)
    await session.clock.sleep(LOOK_MS, stop.signal)
  }
  report.stopped(wish.targets)
  return STOPPED
}

const isMissing = (one: GetOverviewResponse['servers'][number], { without }: WishOfAll) =>
  !isLiving(one) && !without.includes(keyOf(one))

async function takeStep(
  kind: RotatedKind,
  calls: ServerCalls,
  { target, serverKey, decision }: Part,
  { wish, taken, report }: { wish: WishOfAll; taken: Set<string>; report: AllReport },
): Promise<void> {
  if (decision.kind !== 'take') return
  const { step } = decision
  const mark = `${step} ${target}`
  if (taken.has(mark)) {
    // A step that had no effect would be taken for ever.
    const why = `the step "${step}" for ${target} was taken and does not show; somebody else may be rotating too`
    throw new IdentityError('PRECONDITION_FAILED', why)
  }
  const authorityId = step === 'prepare' ? target : decision.authorityId
  const id = await calls.take(kind, { step, serverKey, authorityId, leftOut: wish.without })
  taken.add(mark)
  report.took(step, id, serverKey)
}

async function forgetGone(
  calls: ServerCalls,
  { without, until }: WishOfAll,
  report: AllReport,
): Promise<void> {
  if (until !== 'revoke') return
  for (const key of without) {
    try {
      await calls.forget(key)
      report.said(`Forgot server ${key}`)
    } catch (error) {
      // Its authorities of the other kind may be there still; what to do is in the message.
      if (!(error instanceof IdentityError)) throw error
      report.said(error.message)
    }
  }
}

async function abortAll(
  kind: RotatedKind,
  calls: ServerCalls,
  { servers }: GetOverviewResponse,
  report: AllReport,
): Promise<number> {
  let count = 0
  for (const one of servers) {
    if (one.prepared === null || !isLiving(one)) continue
    const authorityId = one.prepared.authority_id
    await calls.take(kind, { step: 'discard', serverKey: keyOf(one), authorityId, leftOut: [] })
    report.discarded(authorityId, keyOf(one))
    count += 1
  }
  if (count === 0) report.said('Nothing is prepared, so there is nothing to take back')
  return 0
}

function invalid(message: string): IdentityError {
  return new IdentityError('REQUEST_INVALID', message)
}
