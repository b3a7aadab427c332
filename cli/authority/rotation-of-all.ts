/**
 * Decides what a guided rotation does next where several servers share a trust domain: the authorities of all go through
 * the same steps, and none takes a step before all have taken the one before it. As for one server, it is decided anew
 * each time from what the servers say, and a server that does not answer is waited for, not passed over.
 */
import type { GetOverviewResponse } from '../../proto/gen/steeple/server/authority/v1/GetOverviewResponse.ts'
import type { ServerProgress } from '../../proto/gen/steeple/server/authority/v1/ServerProgress.ts'
import type { Standing } from '../../proto/gen/steeple/server/authority/v1/Standing.ts'
import {
  chooseTarget,
  type Decision,
  nextStep,
  type Progress,
  STEPS,
  type Wish,
} from './rotation-step.ts'

export type Overview = Pick<GetOverviewResponse, 'servers' | 'others' | 'has_upstream'>

export interface WishOfAll extends Omit<Wish, 'target'> {
  /** The authorities that are to go. */
  readonly targets: readonly string[]
  /** Keys of servers that are gone for good, by the operator's word. */
  readonly without: readonly string[]
}

export type Targets =
  | { readonly kind: 'targets'; readonly ids: readonly string[] }
  | { readonly kind: 'refused'; readonly why: string }

/** A decision about one of the authorities. */
export interface Part {
  readonly target: string
  /** Empty: no server that lives has it. */
  readonly serverKey: string
  readonly decision: Decision
}

/** @param named by the operator; empty when they are to be found out */
export function chooseTargets(
  overview: Overview,
  named: readonly string[],
  without: readonly string[],
): Targets {
  const against = whoIsMissing(overview, without)
  if (against !== undefined) return { kind: 'refused', why: against }
  if (named.length > 0) {
    const unknown = named.find(
      (id) => !standingsOf(overview).some((one) => one.authority_id === id),
    )
    if (unknown === undefined) return { kind: 'targets', ids: named }
    const why = `no server has authority ${unknown}, and it is not in the bundle; it may be revoked or expired`
    return { kind: 'refused', why }
  }
  const living = overview.servers.filter(isLiving)
  const chosen = living.map((one) => ({ one, target: chooseTarget(progressOf(one, overview), '') }))
  for (const { one, target } of chosen) {
    if (target.kind === 'refused') return { kind: 'refused', why: `${nameOf(one)}: ${target.why}` }
  }
  // Where one server has come to the end before the others, it must not begin anew.
  const isEnding = chosen.some(
    ({ one, target }) => target.kind === 'target' && one.old?.authority_id === target.id,
  )
  const ids = chosen.flatMap(({ one, target }) => {
    if (target.kind === 'refused') return []
    const isDone =
      isEnding && one.prepared === null && one.old === null && one.activation === 'BY_HAND'
    return isDone ? [] : [target.id]
  })
  const gone = overview.servers.filter((one) => without.includes(keyOf(one)))
  return { kind: 'targets', ids: [...ids, ...gone.flatMap(slotsOf).map((one) => one.authority_id)] }
}

/** All that can be done now, or all that is waited for; `done` when nothing is left. */
export function nextSteps(overview: Overview, wish: WishOfAll): readonly Part[] {
  const parts = wish.targets.map((target) => partOf(target, overview, wish))
  const phase = Math.min(...parts.map(({ decision }) => phaseOf(decision)))
  const due = parts.filter(({ decision }) => phaseOf(decision) === phase)
  const steps = due.filter(({ decision }) => decision.kind === 'take')
  return steps.length > 0 ? steps : due
}

function partOf(target: string, overview: Overview, wish: WishOfAll): Part {
  const owner = overview.servers.find(
    (one) => isLiving(one) && slotsOf(one).some((slot) => slot.authority_id === target),
  )
  const own = { ...wish, target }
  if (owner !== undefined) {
    const decision = nextStep(progressOf(owner, overview), own)
    return { target, serverKey: keyOf(owner), decision }
  }
  // Nobody who lives signs with it: it is as good as old.
  const old = standingsOf(overview).find((one) => one.authority_id === target) ?? null
  const { has_upstream } = overview
  const progress = {
    prepared: null,
    active: null,
    old,
    has_upstream,
    activation: 'UNKNOWN',
  } as const
  return { target, serverKey: '', decision: nextStep(progress, own) }
}

const DONE = STEPS.length

/** A wait belongs to the step that it keeps from being taken. */
function phaseOf(decision: Decision): number {
  switch (decision.kind) {
    case 'take':
      return STEPS.indexOf(decision.step)
    case 'wait':
      if (decision.standing.tainted) return STEPS.indexOf('revoke')
      return STEPS.indexOf(decision.reason === 'unheard' ? 'activate' : 'taint')
    case 'done':
      return DONE
    default:
      return decision satisfies never
  }
}

/** Fails closed: whoever is not heard of may still sign. */
function whoIsMissing({ servers }: Overview, without: readonly string[]): string | undefined {
  for (const key of without) {
    const named = servers.find((one) => keyOf(one) === key)
    if (named === undefined) return `there is no server ${key}; steeple servers list shows them`
    if (isLiving(named)) return `${nameOf(named)} lives, so it cannot be left out; stop it first`
  }
  for (const one of servers) {
    if (isLiving(one) || without.includes(keyOf(one))) continue
    if (one.server?.state === 'MUTE') return `${nameOf(one)} does not answer; try again`
    const gone = `-without ${keyOf(one)}`
    const seen = `has not been seen for ${one.server?.seen_seconds_ago ?? 0} s`
    return `${nameOf(one)} ${seen}: start it, or leave it out if it is gone for good (its authorities are then revoked too): ${gone}`
  }
  return undefined
}

export const keyOf = ({ server }: ServerProgress) => server?.key ?? ''

export function nameOf({ server }: ServerProgress): string {
  const name = server?.name ? ` (${server.name})` : ''
  return `server ${server?.key ?? ''}${name}`
}

export function isLiving({ server }: ServerProgress): boolean {
  return server?.state === 'HERE' || server?.state === 'LIVING'
}

export function progressOf(one: ServerProgress, { has_upstream }: Overview): Progress {
  const { prepared, active, old, activation } = one
  return { prepared, active, old, activation, has_upstream }
}

function slotsOf({ prepared, active, old }: ServerProgress): readonly Standing[] {
  return [prepared, active, old].filter((one) => one !== null)
}

function standingsOf({ servers, others }: Overview): readonly Standing[] {
  return [...servers.flatMap(slotsOf), ...others]
}
