/**
 * Taints an authority in the committed bundle, or takes a tainted one out of it: one write each, so that a process
 * killed at any moment leaves it done or undone. What cannot be done is refused in SPIRE's words.
 *
 * @see SPIRE behaviour §7 — forced rotation
 */
import { type ErrorCode, IdentityError } from '../../spiffe/error.ts'

import type { AuthorityKind } from './authority-kind.ts'
import type { Publication } from './publication.ts'
import type { Authority } from './slots.ts'

/** @throws IdentityError INTERNAL when it is not in the bundle, or tainted already */
export async function taint<A extends Authority>(
  kind: AuthorityKind<A>,
  id: string,
  publication: Publication,
): Promise<void> {
  await inTheWordsOf(kind, 'taint', () =>
    publication.update((bundle) => {
      const next = kind.taint(bundle, id)
      if (next === bundle) throw new IdentityError('ALREADY_EXISTS', 'it is tainted already')
      return next
    }),
  )
}

/** @throws IdentityError INTERNAL when it is not in the bundle, or not tainted */
export async function revoke<A extends Authority>(
  kind: AuthorityKind<A>,
  id: string,
  publication: Publication,
): Promise<void> {
  await inTheWordsOf(kind, 'revoke', () => publication.update((bundle) => kind.revoke(bundle, id)))
}

type Verb = 'taint' | 'revoke'
/** Some are worded differently for either verb. */
type Refusals = Partial<Record<ErrorCode, string | Readonly<Record<Verb, string>>>>

const REFUSALS = {
  'X.509': {
    NOT_FOUND: {
      taint: 'no ca found with provided subject key ID',
      revoke: 'no root CA found with provided subject key ID',
    },
    ALREADY_EXISTS: 'root CA is already tainted',
    PRECONDITION_FAILED: 'it is not possible to revoke an untainted root CA',
  },
  JWT: {
    NOT_FOUND: 'no JWT Key found with provided key ID',
    ALREADY_EXISTS: 'key is already tainted',
    PRECONDITION_FAILED: 'it is not possible to revoke an untainted key',
  },
} as const satisfies Record<string, Refusals>

async function inTheWordsOf(
  { name }: { readonly name: keyof typeof REFUSALS },
  verb: Verb,
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    const refusals: Refusals = REFUSALS[name]
    const worded = refusals[error.code]
    if (worded === undefined) throw error
    const why = typeof worded === 'string' ? worded : worded[verb]
    throw new IdentityError('INTERNAL', `failed to ${verb} ${name} authority: ${why}`, {
      cause: error,
    })
  }
}
