/**
 * Why a process has no identity, or that it has one: one plain sentence, and what would change it. Pure; the first
 * reason that applies is the one that is told, and reasons that hide others come first.
 */
import { type SpiffeId, trustDomainOf } from '../../spiffe/id.ts'
import type { Selector } from '../../spiffe/selector.ts'
import { selectorType } from '../../spiffe/selector.ts'
import { type Close, closestEntries } from './closest-entries.ts'
import type { Facts, HeldEntry, RegisteredEntry } from './facts.ts'
import { selectorsOf } from './facts.ts'
import { ago, named } from './phrase.ts'
import { proposeId, tellingSelectors } from './telling-selectors.ts'

export type Kind =
  | 'issued'
  | 'svid-pending'
  | 'store-only'
  | 'attestation-failed'
  | 'agent-banned'
  | 'agent-unknown'
  | 'not-synced-yet'
  | 'expired'
  | 'wrong-parent'
  | 'never-synced'
  | 'attestor-failed'
  | 'attestor-absent'
  | 'selector-missing'
  | 'no-entries'

/** A command that would help, for whoever can print it. */
export type Remedy =
  | {
      readonly kind: 'create'
      readonly parentId: SpiffeId
      readonly id: SpiffeId
      readonly selectors: readonly Selector[]
    }
  /** The entry as it is, without an end. */
  | { readonly kind: 'prolong'; readonly entryId: string }
  | { readonly kind: 'evict'; readonly agentId: SpiffeId }

export interface Conclusion {
  readonly kind: Kind
  /** Shows selectors: for administrators. */
  readonly sentence: string
  /** The same, shorter and without any selector: for the log. */
  readonly brief: string
  readonly remedy: Remedy | undefined
}

/** More of them than anybody reads. */
const MAX_CLOSEST = 20

export function conclude(facts: Facts): Conclusion {
  const present = selectorsOf(facts)
  return (
    ofHeld(facts, present) ??
    ofAttestation(facts) ??
    ofStanding(facts) ??
    ofRegistered(facts, present) ??
    ofSync(facts) ??
    ofClosest(facts, present) ??
    ofNothing(facts, present)
  )
}

/** An entry that the agent has matches. */
function ofHeld(
  { held, pid, sync }: Facts,
  present: ReadonlySet<Selector>,
): Conclusion | undefined {
  const matching = closestEntries(held, present, MAX_CLOSEST).filter(
    ({ missing }) => missing.length === 0,
  )
  const served = matching.filter(({ entry }) => !entry.storeSvid)
  const ready = served.filter(({ entry }) => entry.hasSvid)
  if (ready.length > 0) {
    const brief = `${ready.map(({ entry }) => named(entry)).join(', ')} matches and is served`
    return because('issued', `process ${pid} has an identity: ${brief}`, brief)
  }
  const [waiting] = served
  if (waiting !== undefined) {
    const why =
      sync.failure === undefined ? '' : `; it is not in sync with the server: ${sync.failure}`
    const brief = `${named(waiting.entry)} matches, but the agent has no SVID of it yet${why}`
    return because('svid-pending', `${brief}; if this lasts, the log of the agent says why`, brief)
  }
  const [stored] = matching
  if (stored === undefined) return undefined
  const brief = `${named(stored.entry)} matches, but its SVIDs go to a store, not to workloads`
  return because('store-only', `${brief}; update it without -storeSVID to serve them`, brief)
}

function ofAttestation({ findings, pid }: Facts): Conclusion | undefined {
  if (findings.some(({ error }) => error === undefined)) return undefined
  const errors = findings.map(({ attestor, error = '' }) => `${attestor}: ${error}`).join('; ')
  const brief = 'no attestor could say anything of the process'
  return because(
    'attestation-failed',
    `no attestor could say what process ${pid} is: ${errors}`,
    brief,
  )
}

/** The server gives nothing to an agent that it will not have. */
function ofStanding({ server, agentId }: Facts): Conclusion | undefined {
  if (server?.standing === 'banned') {
    const brief = `the server has banned ${agentId}`
    const sentence = `${brief}, so its workloads get nothing; evict it, and it may attest again`
    return { ...because('agent-banned', sentence, brief), remedy: { kind: 'evict', agentId } }
  }
  if (server?.standing !== 'unknown') return undefined
  const brief = `the server does not know ${agentId}`
  const sentence = `${brief}; ask the server that the agent is configured for, or let the agent attest again`
  return because('agent-unknown', sentence, brief)
}

/** An entry that the agent does not have would match. */
function ofRegistered(facts: Facts, present: ReadonlySet<Selector>): Conclusion | undefined {
  const { server, held, now } = facts
  if (server === undefined) return undefined
  const known = new Set(held.map(({ entryId }) => entryId))
  const others = server.entries.filter(({ entryId }) => !known.has(entryId))
  const matching = closestEntries(others, present, MAX_CLOSEST)
    .filter(({ missing }) => missing.length === 0)
    .map(({ entry }) => entry)
  const isExpired = ({ expiresAt }: RegisteredEntry) => expiresAt !== undefined && expiresAt <= now
  const own = matching.filter(({ parentId }) => server.parents.has(parentId))
  const due = own.find((entry) => !isExpired(entry))
  if (due !== undefined) return notSynced(due, facts)
  const [expired] = own
  if (expired !== undefined) {
    const brief = `${named(expired)} matches, but it expired at ${expired.expiresAt?.toISOString()}`
    const remedy = { kind: 'prolong', entryId: expired.entryId } as const
    return { ...because('expired', `${brief}; to prolong it, update it`, brief), remedy }
  }
  const elsewhere = matching.find((entry) => !isExpired(entry))
  return elsewhere === undefined ? undefined : wrongParent(elsewhere, facts)
}

function notSynced(entry: RegisteredEntry, { now, sync }: Facts): Conclusion {
  const age = ago(now.getTime() - entry.createdAt.getTime())
  const brief = `${named(entry)} matches and was created ${age}, but the agent has not got it yet`
  const heard =
    sync.lastSuccessAt === undefined
      ? 'it has never heard from the server'
      : `it last heard from the server ${ago(now.getTime() - sync.lastSuccessAt.getTime())}`
  const why = sync.failure === undefined ? `${heard}; wait a moment` : `${heard}: ${sync.failure}`
  return because('not-synced-yet', `${brief}; ${why}`, brief)
}

function wrongParent(entry: RegisteredEntry, { agentId }: Facts): Conclusion {
  const brief = `${named(entry)} matches, but its parent is ${entry.parentId}`
  const sentence = `${brief}, which is neither this agent, ${agentId}, nor an alias of it; register it for this agent as well`
  const { id, selectors } = entry
  const remedy = { kind: 'create', parentId: agentId, id, selectors } as const
  return { ...because('wrong-parent', sentence, brief), remedy }
}

function ofSync({ sync }: Facts): Conclusion | undefined {
  if (sync.lastSuccessAt !== undefined) return undefined
  const brief = 'the agent has not heard from the server since it started'
  const why = sync.failure === undefined ? '' : `: ${sync.failure}`
  return because(
    'never-synced',
    `${brief}${why}; see that it reaches the server, then ask again`,
    brief,
  )
}

type Near = Close<HeldEntry | RegisteredEntry>

/** What keeps the process from the entry that comes closest. */
function ofClosest(facts: Facts, present: ReadonlySet<Selector>): Conclusion | undefined {
  const { findings, pid } = facts
  const [near] = nearEntries(facts, present)
  if (near === undefined || near.missing.length === 0) return undefined
  const brief = `the process lacks ${shareOf(near)} of ${named(near.entry)}, which comes closest`
  const wanted = near.missing.join(', ')
  const typesWanted = new Set(near.missing.map(selectorType))
  const absent = [...typesWanted].find(
    (type) => !findings.some(({ attestor }) => attestor === type),
  )
  const closest = `no entry matches process ${pid}; ${named(near.entry)} comes closest`
  if (absent !== undefined) {
    const has = findings.map(({ attestor }) => attestor).join(', ')
    const sentence = `${closest}, but it wants ${wanted}, and this agent has no ${absent} attestor (it has ${has}); configure WorkloadAttestor "${absent}"`
    return because('attestor-absent', sentence, brief)
  }
  const failed = findings.find(
    ({ attestor, error }) => error !== undefined && typesWanted.has(attestor),
  )
  if (failed !== undefined) {
    const sentence = `${closest}, but it wants ${wanted}, and the ${failed.attestor} attestor failed: ${failed.error}`
    return because('attestor-failed', sentence, brief)
  }
  const sentence = `${closest}, but the process lacks ${wanted}; if it is meant to be ${near.entry.id}, register it for what it is`
  return {
    ...because('selector-missing', sentence, brief),
    remedy: register(facts, present, near.entry.id),
  }
}

function shareOf({ entry, missing }: Near): string {
  const all = entry.selectors.length
  return all === 1 ? 'the one selector' : `${missing.length} of the ${all} selectors`
}

/** What the agent has, and what it would be given; each entry once. */
export function nearEntries(
  { held, server, now }: Facts,
  present: ReadonlySet<Selector>,
): readonly Near[] {
  const known = new Set(held.map(({ entryId }) => entryId))
  const others = (server?.entries ?? []).filter(
    ({ entryId, parentId, expiresAt }) =>
      !known.has(entryId) &&
      server?.parents.has(parentId) === true &&
      (expiresAt === undefined || expiresAt > now),
  )
  const all: readonly (HeldEntry | RegisteredEntry)[] = [...held, ...others]
  return closestEntries(all, present, MAX_CLOSEST)
}

function ofNothing(facts: Facts, present: ReadonlySet<Selector>): Conclusion {
  const brief = 'the agent has no registration entries for workloads'
  const sentence = `${brief}; register process ${facts.pid}`
  const id = proposeId(trustDomainOf(facts.agentId), present)
  return { ...because('no-entries', sentence, brief), remedy: register(facts, present, id) }
}

function register(
  { agentId }: Facts,
  present: ReadonlySet<Selector>,
  id: SpiffeId,
): Remedy | undefined {
  const selectors = tellingSelectors(present)
  return selectors.length === 0 ? undefined : { kind: 'create', parentId: agentId, id, selectors }
}

function because(kind: Kind, sentence: string, brief: string): Conclusion {
  return { kind, sentence, brief, remedy: undefined }
}
