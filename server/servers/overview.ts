/**
 * The servers of the trust domain with their authorities, and how far each of those has come. A server that is not seen
 * any more is in it too, with what it said last; authorities that are nobody's are listed apart.
 */
import type { Bundle } from '../../spiffe/bundle.ts'
import { parseCertificate } from '../../spiffe/x509/certificate.ts'
import { authorityIdOf } from '../../spiffe/x509/key-id.ts'
import type { Activation } from '../ca/rotation-memory.ts'
import type { AuthorityProgress, Follower, OperatedAuthority } from '../issue/progress.ts'
import type { RegisteredServer } from '../store/server-registry.ts'
import { type MergeDeps, mergeStanding } from './merge-standing.ts'
import { isLiving } from './presence.ts'
import type { StandingAnswer, WireAuthority } from './question.ts'
import {
  ALL_OTHERS,
  decodeServerDocument,
  type ServerDocument,
  type SlotIds,
} from './server-document.ts'
import { placeIn, type RotatedKind } from './tell-standing.ts'

/** `silent`: it has not been seen for long; `mute`: it was seen, and does not answer. */
export type ServerState = 'here' | 'answering' | 'mute' | 'silent' | 'stopped'

export interface ListedServer {
  readonly key: string
  readonly state: Exclude<ServerState, 'answering' | 'mute'> | 'living'
  readonly seenMsAgo: number
  /** Undefined: it cannot be read. */
  readonly document: ServerDocument | undefined
}

export interface ServerOverview {
  readonly server: Omit<ListedServer, 'state'>
  readonly state: ServerState
  readonly prepared: AuthorityProgress | undefined
  readonly active: AuthorityProgress | undefined
  readonly old: AuthorityProgress | undefined
  readonly activation: Activation
}

export interface OverviewDeps {
  readonly kind: RotatedKind
  readonly servers: readonly ListedServer[]
  readonly answers: ReadonlyMap<string, StandingAnswer>
  readonly asked: readonly string[]
  readonly bundle: Bundle
  readonly followers: readonly Follower[]
  readonly now: Date
}

export interface Overview {
  readonly servers: readonly ServerOverview[]
  /** In the bundle, and in no slot that a server has or had when it was last seen. */
  readonly others: readonly AuthorityProgress[]
}

/** @param here the key of this server, whose row may be late */
export function listServer(row: RegisteredServer, here: string): ListedServer {
  const { key, seenMsAgo } = row
  const state = key === here ? 'here' : stateOf(row)
  return { key, state, seenMsAgo, document: decodeServerDocument(row.document) }
}

function stateOf(row: RegisteredServer): 'living' | 'silent' | 'stopped' {
  if (row.incarnation === '') return 'stopped'
  return isLiving(row) ? 'living' : 'silent'
}

/** What to ask for: whatever is in the bundle, and in any slot. */
export function idsToAsk(
  kind: RotatedKind,
  bundle: Bundle,
  servers: readonly ListedServer[],
): readonly string[] {
  const known = servers.flatMap(({ document }) => (document ? slotIds(document[kind]) : []))
  return [...new Set([...authoritiesIn(bundle, kind).map(({ id }) => id), ...known])]
}

export function overviewOf(deps: OverviewDeps): Overview {
  const { kind, servers, answers, bundle } = deps
  const merging: MergeDeps = { ...deps, place: (id) => placeIn(bundle, kind, id), endsBy }
  function endsBy(id: string): Date | undefined {
    const told = servers.flatMap(({ document }) => (document ? endIn(document, kind, id) : []))
    return told.length === 0 ? undefined : new Date(Math.max(...told))
  }
  const published = new Map(authoritiesIn(bundle, kind).map((one) => [one.id, one]))
  const taken = new Set<string>()
  const overviews = servers.map((server): ServerOverview => {
    const answer = answers.get(server.key)
    const slot = (name: keyof SlotIds): AuthorityProgress | undefined => {
      const found =
        answer === undefined
          ? published.get(server.document?.[kind][name] ?? '')
          : told(answer[name])
      if (found === undefined) return undefined
      taken.add(found.upstream?.authorityId ?? found.id)
      return mergeStanding(found, answer === undefined ? undefined : server.key, merging)
    }
    const { key, seenMsAgo, document } = server
    return {
      ...{ server: { key, seenMsAgo, document }, state: stateIn(server, answer) },
      ...{ prepared: slot('prepared'), active: slot('active'), old: slot('old') },
      activation: answer?.activation ?? 'unknown',
    }
  })
  const others = [...published.values()].filter(({ id }) => !taken.has(id))
  return { servers: overviews, others: others.map((one) => mergeStanding(one, undefined, merging)) }
}

/** Whoever has an authority in a slot has told of all that it signed with it, before anybody held it. */
function endIn({ endsByMs, ...document }: ServerDocument, kind: RotatedKind, id: string): number[] {
  const end = endsByMs[id] ?? endsByMs[ALL_OTHERS]
  if (end !== undefined) return [end]
  return slotIds(document[kind]).includes(id) ? [0] : []
}

function stateIn({ state }: ListedServer, answer: StandingAnswer | undefined): ServerState {
  if (state !== 'living') return state
  return answer === undefined ? 'mute' : 'answering'
}

function slotIds({ prepared, active, old }: SlotIds): readonly string[] {
  return [prepared, active, old].filter((id) => id !== undefined)
}

function told(authority: WireAuthority | undefined): OperatedAuthority | undefined {
  if (authority === undefined) return undefined
  const { id, issuedAtMs, expiresAtMs, upstreamId } = authority
  const [issuedAt, expiresAt] = [new Date(issuedAtMs), new Date(expiresAtMs)]
  const upstream =
    upstreamId === undefined ? undefined : { authorityId: upstreamId, intermediates: [] }
  return { id, keySlot: 'A', issuedAt, notBefore: issuedAt, expiresAt, upstream }
}

/** A key without an end lasts until it is taken out. */
const FOR_EVER = new Date(8_640_000_000_000_000)

function authoritiesIn(bundle: Bundle, kind: RotatedKind): readonly OperatedAuthority[] {
  if (kind === 'jwt') {
    return bundle.jwtAuthorities.map(({ keyId: id, expiresAt = FOR_EVER }) => {
      const issuedAt = new Date(0) // nobody says
      return { id, keySlot: 'A', issuedAt, notBefore: issuedAt, expiresAt }
    })
  }
  return bundle.x509Authorities.map(({ der }) => {
    const { notBefore, notAfter } = parseCertificate(der)
    const id = authorityIdOf(der)
    return { id, keySlot: 'A', issuedAt: notBefore, notBefore, expiresAt: notAfter }
  })
}
