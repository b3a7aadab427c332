/**
 * What this server knows of authorities, its own and those of others, for whichever server asks: what it signed that is in
 * use, and whom it handed which bundle. Followers and slots are named by digests, and beyond a bound they are left out:
 * whoever is not told of counts as behind, and what is not told of as in use.
 */
import { createHash } from 'node:crypto'
import type { Bundle } from '../../spiffe/bundle.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import { authorityIdOf } from '../../spiffe/x509/key-id.ts'
import type { RotationMemory } from '../ca/rotation-memory.ts'
import type { Slots } from '../ca/slots.ts'
import type { LedgerRecord } from '../issue/ledger-record.ts'
import type { Follower, OperatedAuthority } from '../issue/progress.ts'
import type { SigningLedger } from '../issue/signing-ledger.ts'
import type { HandedBundles } from '../nodes/handed-bundles.ts'
import type { Place, StandingAnswer, WireAuthority } from './question.ts'

export type RotatedKind = 'x509' | 'jwt'

export interface TellStandingDeps {
  readonly slots: Slots<OperatedAuthority>
  readonly ledger: Pick<
    SigningLedger,
    'records' | 'forgottenUntil' | 'authorityOfAgentSvid' | 'startedAt'
  >
  readonly handed: Pick<HandedBundles, 'all'>
  readonly rotations: Pick<RotationMemory, 'isMadeHere' | 'activationOf'>
  readonly followers: readonly Follower[]
  readonly now: Date
}

/** Followers and renewed slots, each; the newest are told. */
const MAX_TOLD = 50_000
/** Uses and held slots of each authority; of more, one line stands for all. */
const MAX_LISTED = 5_000
const DIGEST_BYTES = 12

type Line = LedgerRecord & { readonly kind: 'line' }
type Use = StandingAnswer['uses'][number]

export function tellStanding(
  kind: RotatedKind,
  ids: readonly string[],
  deps: TellStandingDeps,
): StandingAnswer {
  const { slots, ledger, rotations, now } = deps
  const lines = [...ledger.records()].filter((one): one is Line => one.kind === 'line')
  const live = lines.filter(({ expiresAt }) => expiresAt > now)
  const forgotten = ids.flatMap((id) => {
    const until = ledger.forgottenUntil(id)
    return until === undefined ? [] : [[id, until.getTime()] as const]
  })
  const { held, rest } = heldOf(live, ids, ledger.startedAt)
  return {
    prepared: toWire(slots.prepared),
    active: toWire(slots.active),
    old: toWire(slots.old),
    activation: slots.active === undefined ? 'unknown' : rotations.activationOf(slots.active.id),
    made: ids.filter(rotations.isMadeHere),
    forgottenUntilMs: Object.fromEntries(forgotten),
    uses: [...(kind === 'x509' ? agentUses(ids, deps) : []), ...usesOf(live, ids), ...rest],
    held,
    renewedAtMs: kind === 'x509' ? renewedIn(live) : {},
    ...handedOf(kind, ids, deps.handed),
  }
}

/** Names a follower or a slot without its length. */
export function digestOf(name: string): string {
  return createHash('sha256').update(name).digest().subarray(0, DIGEST_BYTES).toString('base64url')
}

/** Where an authority stands in a bundle. @param id as it is published: with an upstream authority, that of its root */
export function placeIn(bundle: Bundle, kind: RotatedKind, id: string): Place {
  const found =
    kind === 'x509'
      ? bundle.x509Authorities.find(({ der }) => authorityIdOf(der) === id)
      : bundle.jwtAuthorities.find(({ keyId }) => keyId === id)
  if (found === undefined) return 'absent'
  return found.tainted ? 'tainted' : 'trusted'
}

function toWire(authority: OperatedAuthority | undefined): WireAuthority | undefined {
  if (authority === undefined) return undefined
  const { id, issuedAt, expiresAt, upstream } = authority
  const link = upstream === undefined ? {} : { upstreamId: upstream.authorityId }
  return { id, issuedAtMs: issuedAt.getTime(), expiresAtMs: expiresAt.getTime(), ...link }
}

/** An agent's SVID in use is named by its node, wherever it was signed. */
function agentUses(ids: readonly string[], { followers, ledger, now }: TellStandingDeps): Use[] {
  return followers.flatMap(({ id: holder, svid }) => {
    if (svid === undefined || svid.expiresAt <= now) return []
    const id = ledger.authorityOfAgentSvid(svid.serialNumber)
    if (id === undefined || !ids.includes(id)) return []
    return [{ id, kind: 'agent-svid', holder, count: 1, untilMs: svid.expiresAt.getTime() }]
  })
}

const isReplaced = ({ use }: Line) => use === 'workload-x509-svid'

function usesOf(lines: readonly Line[], ids: readonly string[]): Use[] {
  const asked = new Set(ids)
  const all = lines.filter((line) => !isReplaced(line) && asked.has(line.authorityId))
  return ids.flatMap((id) => cut(all.filter(({ authorityId }) => authorityId === id).map(toUse)))
}

function toUse({ use, holder, authorityId, expiresAt, count }: Line): Use {
  return { id: authorityId, kind: use, holder, count, untilMs: expiresAt.getTime() }
}

/** The last one stands for those that are left out. */
function cut(uses: readonly Use[]): readonly Use[] {
  const kept = uses.slice(0, MAX_LISTED)
  const left = uses.slice(MAX_LISTED)
  const [first] = left
  if (first === undefined) return kept
  const count = left.reduce((sum, one) => sum + one.count, 0)
  const untilMs = left.reduce((latest, one) => Math.max(latest, one.untilMs), 0)
  return [...kept, { ...first, count, untilMs }]
}

function heldOf(lines: readonly Line[], ids: readonly string[], startedAt: Date) {
  const held = ids.map((id) => lines.filter((line) => isReplaced(line) && line.authorityId === id))
  return {
    held: held.flatMap((each) =>
      each.slice(0, MAX_LISTED).map(({ key, authorityId, signedAt, holder, expiresAt }) => ({
        ...{ id: authorityId, slot: digestOf(key), holder, untilMs: expiresAt.getTime() },
        // An earlier run kept no moment: it was before this one, and nothing older replaces it.
        signedAtMs: (signedAt ?? startedAt).getTime(),
      })),
    ),
    // They are in use until they end, whoever has renewed them.
    rest: held.flatMap((each) => cut(each.map(toUse)).slice(MAX_LISTED)),
  }
}

/** Lines are in the order of their last signature. */
function renewedIn(lines: readonly Line[]): Readonly<Record<string, number>> {
  const told = lines.filter((line) => isReplaced(line) && line.signedAt !== undefined)
  return Object.fromEntries(
    told.slice(-MAX_TOLD).map(({ key, signedAt }) => [digestOf(key), signedAt?.getTime() ?? 0]),
  )
}

function handedOf(
  kind: RotatedKind,
  ids: readonly string[],
  handed: Pick<HandedBundles, 'all'>,
): Pick<StandingAnswer, 'places' | 'handed'> {
  const places: Place[][] = []
  const indexes = new Map<Bundle, number>()
  const indexOf = (bundle: Bundle) => {
    const known = indexes.get(bundle)
    if (known !== undefined) return known
    indexes.set(bundle, places.length)
    places.push(ids.map((id) => placeIn(bundle, kind, id)))
    return places.length - 1
  }
  const newest = [...handed.all()].slice(-MAX_TOLD)
  const told = newest.map(
    ([id, { bundle, at }]: readonly [SpiffeId, { bundle: Bundle; at: Date }]) => {
      return [digestOf(id), [indexOf(bundle), at.getTime()]] as const
    },
  )
  return { places, handed: Object.fromEntries(told.map(([id, [index, at]]) => [id, [index, at]])) }
}
