/**
 * How far an authority has come in the whole trust domain, from what all its servers say. Pure. A follower has heard when
 * the last server that it asked told it so; an SVID that one server signed is out of use once another has renewed it. On
 * any doubt somebody is behind, and an authority is perhaps in use: a server that does not answer leaves both open.
 *
 * @see SPIRE behaviour §7 — forced rotation
 */
import type { AuthorityProgress, Behind, Follower, OperatedAuthority } from '../issue/progress.ts'
import type { Use } from '../issue/signing-ledger.ts'
import type { Place, StandingAnswer } from './question.ts'
import { digestOf } from './tell-standing.ts'

export interface MergeDeps {
  /** Of each server that answered, by its key. */
  readonly answers: ReadonlyMap<string, StandingAnswer>
  /** The authorities that were asked for, by the IDs they are published under, in this order. */
  readonly asked: readonly string[]
  readonly followers: readonly Follower[]
  /** Where an authority stands in the bundle now. */
  place(publishedId: string): Place
  /** Until when signatures last at most, as their server has told; undefined: it told nothing. */
  endsBy(authorityId: string): Date | undefined
  readonly now: Date
}

/** What the clocks of two servers may differ by: within it, neither of two events counts as the later one. */
const SKEW_MS = 10_000

/** @param owner the key of the server that signs or signed with it; undefined when that is not known, or does not answer */
export function mergeStanding(
  authority: OperatedAuthority,
  owner: string | undefined,
  deps: MergeDeps,
): AuthorityProgress {
  const publishedId = authority.upstream?.authorityId ?? authority.id
  return {
    authority,
    tainted: deps.place(publishedId) === 'tainted',
    behind: behindOf(publishedId, deps),
    uses: usesOf(authority.id, deps),
    unknownUntil: unknownUntil(authority, owner, deps),
  }
}

function behindOf(publishedId: string, deps: MergeDeps): readonly Behind[] {
  const place = deps.place(publishedId)
  const index = deps.asked.indexOf(publishedId)
  const answers = [...deps.answers.values()]
  return deps.followers.flatMap((follower) => {
    const name = digestOf(follower.id)
    const handings = answers.flatMap(({ handed, places }) => {
      const handing = handed[name]
      if (handing === undefined) return []
      return [{ atMs: handing[1], place: places[handing[0]]?.[index] }]
    })
    const lastMs = handings.reduce((latest, { atMs }) => Math.max(latest, atMs), 0)
    const isHeard =
      handings.length > 0 &&
      handings.every((one) => one.atMs < lastMs - SKEW_MS || one.place === place)
    if (isHeard) return []
    return [{ follower, handedAt: handings.length === 0 ? undefined : new Date(lastMs) }]
  })
}

function usesOf(id: string, { answers, now }: MergeDeps): readonly Use[] {
  const nowMs = now.getTime()
  const all = [...answers.values()]
  const uses = new Map<string, Use>()
  const add = (kind: Use['kind'], holder: Use['holder'], count: number, untilMs: number) => {
    if (untilMs <= nowMs) return
    const key = `${kind} ${holder}`
    const before = uses.get(key)
    const until = new Date(Math.max(untilMs, before?.until.getTime() ?? 0))
    // Several servers may know of an agent's one SVID.
    const sum = kind === 'agent-svid' ? 1 : count + (before?.count ?? 0)
    uses.set(key, { kind, holder, count: sum, until })
  }
  for (const answer of all) {
    for (const { id: used, kind, holder, count, untilMs } of answer.uses) {
      if (used === id) add(kind, holder, count, untilMs)
    }
    const others = all.filter((one) => one !== answer)
    for (const { id: used, slot, signedAtMs, holder, untilMs } of answer.held) {
      if (used !== id) continue
      const isRenewed = others.some(
        ({ renewedAtMs }) => (renewedAtMs[slot] ?? 0) > signedAtMs + SKEW_MS,
      )
      if (!isRenewed) add('workload-x509-svid', holder, 1, untilMs)
    }
  }
  return [...uses.values()]
}

function unknownUntil(
  { id, expiresAt }: OperatedAuthority,
  owner: string | undefined,
  { answers, endsBy, now }: MergeDeps,
): Date | undefined {
  const forgottenMs = [...answers.values()].map(({ forgottenUntilMs }) => forgottenUntilMs[id] ?? 0)
  const answer = owner === undefined ? undefined : answers.get(owner)
  const told = endsBy(id)
  const latest = told !== undefined && told < expiresAt ? told : expiresAt
  const unrecordedMs = answer?.made.includes(id) === true ? 0 : latest.getTime()
  const until = new Date(Math.max(unrecordedMs, ...forgottenMs))
  return until > now ? until : undefined
}
