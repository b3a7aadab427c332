/**
 * `steeple authority rotate x509|jwt`: replaces an authority while nobody is cut off. The command may be stopped at
 * any moment and started again: it goes on where the server is.
 */
import type { GetOverviewResponse } from '../../proto/gen/steeple/server/authority/v1/GetOverviewResponse.ts'
import { unixSeconds } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { defineCommand, type Session } from '../command.ts'
import type { FlagValues } from '../flag/flag.ts'
import { boolean, choice, list, text } from '../flag/kinds.ts'
import { printJson } from '../output/print.ts'
import { connectServer } from '../rpc/endpoint.ts'
import { operatorFlags } from '../server/flags.ts'
import { stopOnSignals } from '../stop-on-signals.ts'
import { type AuthorityCalls, authorityCalls, type RotatedKind } from './authority-calls.ts'
import { reporter } from './report-rotation.ts'
import { type AllFlags, rotateAll, STOPPED } from './rotate-all.ts'
import { chooseTarget, nextStep, type Progress, STEPS, type Step } from './rotation-step.ts'
import { serverCalls } from './server-calls.ts'

const rotateFlags = {
  ...operatorFlags,
  authorityID: text('authority that is to go; left out, what signs now; several between commas'),
  without: list('key of a server that is gone for good, whose authorities are to go too'),
  until: choice('last step to take', STEPS, 'revoke'),
  yes: boolean('take the steps; without it they are only told'),
  force: boolean('wait for nobody; what is in use may be cut off'),
  status: boolean('tell where the rotation is, and change nothing'),
  abort: boolean('take back what is prepared; what signs already stays'),
}

type RotateFlags = FlagValues<typeof rotateFlags>

const DETAILS = [
  'Steps: prepare a new authority; activate it once every agent and server below has it; taint the old one once nothing uses it; revoke it once all have been told.',
  'Tainting early makes agents renew at once and cuts nobody off: -force -until taint, then again without -force.',
  'Where several servers share a database, all of them take each step before any takes the next one.',
  'Exit code 0: done as far as -until says; 1: refused or failed; 3: stopped before, and may be gone on with.',
].join('\n')

const commandFor = (kind: RotatedKind, name: string) =>
  defineCommand({
    summary: `Replace the ${name} authority step by step, while nobody is cut off`,
    details: DETAILS,
    examples: [
      `authority rotate ${kind} -yes`,
      `authority rotate ${kind} -status`,
      `authority rotate ${kind} -yes -until activate`,
    ],
    flags: rotateFlags,
    run: (flags, session) => rotate(kind, flags, session),
  })

export const rotateX509 = commandFor('x509', 'X.509')
export const rotateJwt = commandFor('jwt', 'JWT')

/** Between two looks. */
const LOOK_MS = 1_000

async function rotate(kind: RotatedKind, flags: RotateFlags, session: Session): Promise<number> {
  const until = STEPS.find((step) => step === flags.until)
  if (until === undefined) {
    throw invalid(`-until is ${JSON.stringify(flags.until)}; expected one of ${STEPS.join(', ')}`)
  }
  using server = connectServer(flags, session)
  const all = serverCalls(server)
  const overview = await all.overview(kind)
  const named = flags.authorityID === '' ? [] : flags.authorityID.split(',')
  const isOfAll = (overview?.servers.length ?? 0) > 1 || isNobodys(overview, named)
  if (overview !== undefined && isOfAll) {
    const wish = { named, without: flags.without, until, isForced: flags.force === true }
    const mode = modeOf(flags)
    return await rotateAll(kind, all, overview, { ...wish, mode, output: flags.output }, session)
  }
  if (flags.without.length > 0) throw invalid('-without: the trust domain has one server')
  const calls = authorityCalls(server, kind)
  if (flags.abort === true) return await abort(kind, calls, flags, session)
  const progress = await calls.progress()
  const chosen = chooseTarget(progress, flags.authorityID)
  const report = reporter(kind, flags.output, session.terminal)
  if (flags.status === true) {
    const target = chosen.kind === 'target' ? chosen.id : undefined
    const wish = { target: target ?? '', until, isForced: flags.force === true }
    report.status(progress, target === undefined ? undefined : nextStep(progress, wish))
    return 0
  }
  if (chosen.kind === 'refused') throw invalid(chosen.why)
  const wish = { target: chosen.id, until, isForced: flags.force === true }
  if (flags.yes !== true) {
    report.status(progress, nextStep(progress, wish))
    throw invalid('nothing was changed; add -yes to take the steps')
  }
  report.begin(chosen.id)
  return await takeSteps(calls, wish, { report, session })
}

function modeOf({ abort, status, yes }: RotateFlags): AllFlags['mode'] {
  if (abort === true) return 'abort'
  if (status === true) return 'status'
  return yes === true ? 'rotate' : 'tell'
}

/** What is left of a server that is forgotten. */
function isNobodys(overview: GetOverviewResponse | undefined, named: readonly string[]): boolean {
  return overview?.others.some(({ authority_id }) => named.includes(authority_id)) === true
}

async function takeSteps(
  calls: AuthorityCalls,
  wish: Parameters<typeof nextStep>[1],
  { report, session }: { readonly report: ReturnType<typeof reporter>; readonly session: Session },
): Promise<number> {
  using stop = stopOnSignals()
  const taken: Step[] = []
  while (!stop.signal.aborted) {
    const progress = await calls.progress()
    const decision = nextStep(progress, wish)
    switch (decision.kind) {
      case 'done':
        report.done(decision.why)
        return 0
      case 'take':
        mustBeNew(decision.step, taken)
        report.took(decision.step, await calls.take(decision.step, decision.authorityId))
        taken.push(decision.step)
        break
      case 'wait':
        report.waiting(decision)
        await session.clock.sleep(LOOK_MS, stop.signal)
        break
      default:
        decision satisfies never
    }
  }
  report.stopped(wish.target)
  return STOPPED
}

/** A step that had no effect would be taken for ever. */
function mustBeNew(step: Step, taken: readonly Step[]): void {
  if (!taken.includes(step)) return
  const why = `the server took the step "${step}" and does not show it; somebody else may be rotating too`
  throw new IdentityError('PRECONDITION_FAILED', why)
}

async function abort(
  kind: RotatedKind,
  calls: AuthorityCalls,
  { output }: RotateFlags,
  { terminal, clock }: Session,
): Promise<number> {
  const { prepared, old } = await calls.progress()
  if (prepared !== null) {
    await calls.discard(prepared.authority_id)
    if (output === 'json') {
      printJson(terminal, { event: 'discarded', authority_id: prepared.authority_id })
    } else terminal.print(`Took back the prepared authority ${prepared.authority_id}\n`)
    return 0
  }
  if (output === 'json') printJson(terminal, { event: 'nothing_to_take_back' })
  else terminal.print(leftText(kind, old, unixSeconds(clock.now())))
  return 0
}

function leftText(kind: RotatedKind, old: Progress['old'], now: number): string {
  const nothing = 'Nothing is prepared, so there is nothing to take back\n'
  if (old === null || old.expires_at <= now) return nothing
  const { authority_id, tainted } = old
  const what = tainted
    ? 'is tainted, which stays so: agents have been told to renew'
    : 'is not tainted'
  return `${nothing}The old authority ${authority_id} ${what}. What it signed is still believed until it ends.\nTo go on: steeple authority rotate ${kind} -yes -authorityID ${authority_id}\n`
}

function invalid(message: string): IdentityError {
  return new IdentityError('REQUEST_INVALID', message)
}
