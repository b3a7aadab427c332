/**
 * Steps of a guided rotation at this server, whichever server they were asked of. Each may be asked twice, by whoever did
 * not hear the answer, and then says what is there already.
 */
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { Authorities } from '../ca/authorities.ts'
import type { RotationMemory } from '../ca/rotation-memory.ts'
import type { Follower, OperatedAuthority } from '../issue/progress.ts'
import type { SigningLedger } from '../issue/signing-ledger.ts'
import type { HandedBundles } from '../nodes/handed-bundles.ts'
import type { DoneAnswer, Question, StandingAnswer } from './question.ts'
import { type RotatedKind, tellStanding } from './tell-standing.ts'

export type SharedAuthorities = Pick<
  Authorities<OperatedAuthority>,
  'slots' | 'prepare' | 'activate' | 'taint' | 'revoke' | 'discard' | 'taintOther' | 'revokeOther'
>

export interface CarryOutDeps {
  readonly authorities: {
    readonly x509: SharedAuthorities
    /** Undefined while JWT-SVIDs are disabled. */
    readonly jwt: SharedAuthorities | undefined
  }
  readonly rotations: Pick<RotationMemory, 'noteByHand' | 'isMadeHere' | 'activationOf'>
  readonly ledger: SigningLedger
  readonly handed: Pick<HandedBundles, 'all'>
  followers(): Promise<readonly Follower[]>
  readonly clock: Clock
}

/** @throws IdentityError when it cannot be done */
export async function carryOut(
  question: Question,
  deps: CarryOutDeps,
): Promise<StandingAnswer | DoneAnswer> {
  const authorities = authoritiesOf(question.kind, deps)
  switch (question.ask) {
    case 'standing':
      return await standingHere(question.kind, question.ids, deps)
    case 'prepare': {
      const { active, prepared } = authorities.slots()
      if (prepared !== undefined) return { authorityId: prepared.id }
      if (active?.id !== question.active) {
        const why = `authority ${question.active} does not sign at this server any more`
        throw new IdentityError('PRECONDITION_FAILED', why)
      }
      return { authorityId: (await authorities.prepare()).id }
    }
    case 'activate': {
      if (authorities.slots().active?.id === question.id) return { authorityId: question.id }
      const { id } = await authorities.activate(question.id)
      deps.rotations.noteByHand(id)
      return { authorityId: id }
    }
    case 'discard':
      return { authorityId: (await authorities.discard(question.id)).id }
    default:
      return question satisfies never
  }
}

export async function standingHere(
  kind: RotatedKind,
  ids: readonly string[],
  deps: CarryOutDeps,
): Promise<StandingAnswer> {
  return tellStanding(kind, ids, {
    ...deps,
    slots: authoritiesOf(kind, deps).slots(),
    followers: await deps.followers(),
    now: deps.clock.now(),
  })
}

/** @throws IdentityError NOT_IMPLEMENTED while JWT-SVIDs are disabled */
export function authoritiesOf(
  kind: RotatedKind,
  { authorities: { x509, jwt } }: Pick<CarryOutDeps, 'authorities'>,
): SharedAuthorities {
  if (kind === 'x509') return x509
  if (jwt !== undefined) return jwt
  throw new IdentityError('NOT_IMPLEMENTED', 'JWT functionality is disabled')
}
