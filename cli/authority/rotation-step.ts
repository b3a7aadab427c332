/**
 * Decides what a guided rotation does next. It is decided anew from what the server says each time, and nothing is
 * remembered: whoever comes back after an interruption goes on at the step at which the server is. On any doubt it
 * waits, or refuses; nothing that is in use is cut off unless it is forced.
 *
 * @see SPIRE behaviour §7 — forced rotation
 */
import type { GetProgressResponse } from '../../proto/gen/steeple/server/authority/v1/GetProgressResponse.ts'
import type { Standing } from '../../proto/gen/steeple/server/authority/v1/Standing.ts'

/** The steps, in their order. */
export const STEPS = ['prepare', 'activate', 'taint', 'revoke'] as const
export type Step = (typeof STEPS)[number]

export type Progress = Pick<
  GetProgressResponse,
  'prepared' | 'active' | 'old' | 'has_upstream' | 'activation'
>

export type Target =
  /** The authority that is to go. */
  | { readonly kind: 'target'; readonly id: string }
  | { readonly kind: 'refused'; readonly why: string }

export type Decision =
  | { readonly kind: 'take'; readonly step: Step; readonly authorityId: string }
  /** `unheard`: somebody was not handed the bundle yet. `in-use`: what it signed is still valid and held. */
  | { readonly kind: 'wait'; readonly reason: 'unheard' | 'in-use'; readonly standing: Standing }
  | { readonly kind: 'done'; readonly why: 'as-far-as-asked' | 'gone' | 'upstream' }

/** @param named by the operator; empty when it is to be found out */
export function chooseTarget(
  { active, prepared, old, activation }: Progress,
  named: string,
): Target {
  if (active === null) return refused('no authority signs now; the server makes one by itself')
  if (named !== '') return chooseNamed({ active, prepared, old }, named)
  // What is prepared takes the key of the old one: there are never both.
  if (prepared !== null || old === null) return { kind: 'target', id: active.authority_id }
  if (old.tainted || activation === 'BY_HAND') return { kind: 'target', id: old.authority_id }
  if (activation === 'BY_SCHEDULE') return { kind: 'target', id: active.authority_id }
  return refused(
    [
      'the server does not know any more how its authority came to sign, so it is not clear which one is to go; say it',
      `to finish with the old one: -authorityID ${old.authority_id}`,
      `to replace the one that signs now: -authorityID ${active.authority_id}`,
    ].join('\n'),
  )
}

function chooseNamed(
  { active, prepared, old }: Pick<Progress, 'prepared' | 'old'> & { readonly active: Standing },
  named: string,
): Target {
  if (active.authority_id === named || old?.authority_id === named) {
    return { kind: 'target', id: named }
  }
  if (prepared?.authority_id === named) {
    return refused('that authority is prepared and has signed nothing; -abort takes it back')
  }
  return refused('this server has no such authority, or no longer: it may be revoked or expired')
}

const refused = (why: string): Target => ({ kind: 'refused', why })

export interface Wish {
  /** The authority that is to go. */
  readonly target: string
  /** The last step to be taken. */
  readonly until: Step
  /** Waits for nobody. */
  readonly isForced: boolean
}

export function nextStep(progress: Progress, { target, until, isForced }: Wish): Decision {
  const { active, prepared, old, has_upstream } = progress
  const isLast = (step: Step) => STEPS.indexOf(until) <= STEPS.indexOf(step)
  const take = (step: Step, authorityId: string): Decision => ({ kind: 'take', step, authorityId })
  if (active?.authority_id === target) {
    if (prepared === null) return take('prepare', '')
    if (isLast('prepare')) return { kind: 'done', why: 'as-far-as-asked' }
    if (!isForced && isUnheard(prepared)) return wait('unheard', prepared)
    return take('activate', prepared.authority_id)
  }
  if (old?.authority_id !== target) return { kind: 'done', why: 'gone' }
  if (isLast('activate')) return { kind: 'done', why: 'as-far-as-asked' }
  // Roots belong to whoever is above; what is below is renewed by itself.
  if (has_upstream) return { kind: 'done', why: 'upstream' }
  if (!old.tainted) {
    // Tainting cuts nobody off: what is only perhaps in use need not be waited for.
    return !isForced && old.use_count > 0 ? wait('in-use', old) : take('taint', target)
  }
  if (isLast('taint')) return { kind: 'done', why: 'as-far-as-asked' }
  if (!isForced && isUnheard(old)) return wait('unheard', old)
  if (!isForced && isPerhapsInUse(old)) return wait('in-use', old)
  return take('revoke', target)
}

function wait(reason: 'unheard' | 'in-use', standing: Standing): Decision {
  return { kind: 'wait', reason, standing }
}

const isUnheard = ({ behind_count }: Standing) => behind_count > 0
const isPerhapsInUse = ({ use_count, unknown_until }: Standing) =>
  use_count > 0 || unknown_until > 0
