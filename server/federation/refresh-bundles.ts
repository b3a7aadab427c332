/**
 * Keeps the bundles of other trust domains as new as their endpoints': fetches each when it is due, keeps the last
 * good one when that fails, and remembers why. A relationship of the configuration comes before one of the same trust
 * domain that was made by API.
 *
 * @see Federation §4.3 — polling
 */
import type { Bell } from '../../spiffe/bell.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import { eachPage } from '../store/page.ts'
import type { BundleStore, FederationStore } from '../store/store.ts'
import { acceptBundle } from './accept-bundle.ts'
import type { FetchBundle } from './fetch-bundle.ts'
import { refreshIntervalMs, retryMs } from './refresh-time.ts'
import type { FederationRelationship } from './relationship.ts'

/** How the last attempts went, for people. */
export interface RefreshStanding {
  /** When the endpoint last served a bundle that was accepted; undefined: not since this server started. */
  readonly refreshedAt: Date | undefined
  /** The last attempt, if it failed. */
  readonly failure: { readonly at: Date; readonly reason: string } | undefined
  readonly failuresInARow: number
  readonly nextAt: Date
}

export interface RefreshDeps {
  /** From the configuration; they are not in the store. */
  readonly configured: readonly FederationRelationship[]
  readonly federation: Pick<FederationStore, 'list' | 'find'>
  readonly bundles: Pick<BundleStore, 'find' | 'update'>
  readonly fetch: FetchBundle
  readonly clock: Clock
  /** Rung when a relationship was written. */
  readonly changed: Bell
  /** The same, for `fetchNew`. */
  readonly changedHere: Bell
  readonly onRefreshed: (trustDomain: TrustDomain, isChanged: boolean) => void
  readonly onFailure: (trustDomain: TrustDomain | undefined, error: unknown) => void
}

export interface BundleRefresher {
  /** Runs until the signal aborts. */
  run(signal: AbortSignal): Promise<void>
  /**
   * Where another server's `run` fetches: a relationship that was just made here and has no bundle yet is fetched here,
   * once, because that server looks only each `POLL_MS`. Runs until the signal aborts.
   */
  fetchNew(signal: AbortSignal): Promise<void>
  /** Fetches now. @returns false when there is no relationship. @throws IdentityError with the reason */
  refresh(trustDomain: TrustDomain, signal: AbortSignal): Promise<boolean>
  standingOf(trustDomain: TrustDomain): RefreshStanding | undefined
  /** All that bundles are fetched by. @throws IdentityError UNAVAILABLE */
  relationships(): Promise<
    ReadonlyMap<TrustDomain, FederationRelationship & { readonly isConfigured: boolean }>
  >
}

/** When no hint came, for instance because another server wrote. */
const POLL_MS = 10_000
/** At once; the others wait for the next look. */
const MAX_FETCHES = 16

/** A standing and the relationship that it is of: one that leads elsewhere begins anew. */
interface Followed {
  readonly of: FederationRelationship
  readonly standing: RefreshStanding
}

export function createBundleRefresher(deps: RefreshDeps): BundleRefresher {
  const { clock, changed, changedHere } = deps
  let isRunning = false
  const followed = new Map<TrustDomain, Followed>()
  const running = new Map<TrustDomain, Promise<void>>()

  const attempt = async (of: FederationRelationship, signal: AbortSignal) => {
    const before = followed.get(of.trustDomain)
    const attempted = await attemptOne(of, before?.standing, deps, signal)
    followed.set(of.trustDomain, { of, standing: attempted.standing })
    if (attempted.kind === 'failed') throw attempted.error
    deps.onRefreshed(of.trustDomain, attempted.isChanged)
  }

  const start = (relationship: FederationRelationship, signal: AbortSignal) => {
    const { trustDomain } = relationship
    const fetching = attempt(relationship, signal)
      .catch((error) => deps.onFailure(trustDomain, error))
      .finally(() => {
        running.delete(trustDomain)
        changed.ring() // the next attempt may be due before the loop would look again
      })
    running.set(trustDomain, fetching)
  }

  const startDue = async (signal: AbortSignal) => {
    const all = await relationshipsOf(deps)
    for (const [trustDomain, { of }] of followed) {
      if (!isSameWay(all.get(trustDomain), of)) followed.delete(trustDomain)
    }
    for (const relationship of dueOf(all, followed, running, clock.now())) {
      start(relationship, signal)
    }
  }

  return {
    standingOf: (trustDomain) => followed.get(trustDomain)?.standing,

    async relationships() {
      const configured = new Set(deps.configured.map(({ trustDomain }) => trustDomain))
      const all = [...(await relationshipsOf(deps))]
      return new Map(
        all.map(([name, one]) => [name, { ...one, isConfigured: configured.has(name) }]),
      )
    },

    async refresh(trustDomain, signal) {
      const relationship = (await relationshipsOf(deps)).get(trustDomain)
      if (relationship === undefined) return false
      await running.get(trustDomain)
      await attempt(relationship, signal)
      return true
    },

    async fetchNew(signal) {
      signal.addEventListener('abort', changedHere.ring)
      while (!signal.aborted) {
        await clock.sleep(Number.MAX_SAFE_INTEGER, changedHere.signal())
        changedHere.reset()
        if (signal.aborted || isRunning) continue
        await fetchFirst(deps, attempt, signal).catch((error) => deps.onFailure(undefined, error))
      }
      signal.removeEventListener('abort', changedHere.ring)
    },

    async run(signal) {
      isRunning = true
      signal.addEventListener('abort', changed.ring)
      while (!signal.aborted) {
        changed.reset()
        await startDue(signal).catch((error) => deps.onFailure(undefined, error))
        await clock.sleep(pauseMs(followed, running, clock.now()), changed.signal())
      }
      signal.removeEventListener('abort', changed.ring)
      await Promise.all(running.values())
      isRunning = false
    },
  }
}

/** At most `MAX_FETCHES`, one after another; a failure is told, and tried again by the server whose turn it is. */
async function fetchFirst(
  deps: RefreshDeps,
  attempt: (of: FederationRelationship, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let fetched = 0
  for (const [trustDomain, relationship] of await relationshipsOf(deps)) {
    if (signal.aborted || fetched >= MAX_FETCHES) return
    if ((await deps.bundles.find(trustDomain)) !== undefined) continue
    fetched += 1
    await attempt(relationship, signal).catch((error) => deps.onFailure(trustDomain, error))
  }
}

type Attempted =
  | { readonly kind: 'refreshed'; readonly standing: RefreshStanding; readonly isChanged: boolean }
  | { readonly kind: 'failed'; readonly standing: RefreshStanding; readonly error: unknown }

async function attemptOne(
  relationship: FederationRelationship,
  before: RefreshStanding | undefined,
  deps: RefreshDeps,
  signal: AbortSignal,
): Promise<Attempted> {
  const { clock, bundles } = deps
  try {
    const { bundle, isChanged } = await refreshOne(relationship, deps, signal)
    const at = clock.now()
    const nextAt = new Date(at.getTime() + refreshIntervalMs(bundle))
    const standing = { refreshedAt: at, failure: undefined, failuresInARow: 0, nextAt }
    return { kind: 'refreshed', standing, isChanged }
  } catch (error) {
    const at = clock.now()
    const failuresInARow = (before?.failuresInARow ?? 0) + 1
    const kept = await bundles.find(relationship.trustDomain).catch(() => undefined)
    const standing = {
      refreshedAt: before?.refreshedAt,
      failure: { at, reason: reasonOf(error) },
      failuresInARow,
      nextAt: new Date(at.getTime() + retryMs(failuresInARow, kept)),
    }
    return { kind: 'failed', standing, error }
  }
}

/** Whether both lead to the same endpoint, which proves itself in the same way. */
function isSameWay(
  one: FederationRelationship | undefined,
  other: FederationRelationship | undefined,
): boolean {
  if (one === undefined || other === undefined) return one === other
  const idOf = ({ profile }: FederationRelationship) =>
    profile.kind === 'https_spiffe' ? profile.endpointId : undefined
  const isSameEndpoint = one.endpointUrl === other.endpointUrl
  return isSameEndpoint && one.profile.kind === other.profile.kind && idOf(one) === idOf(other)
}

/** Fails closed: an endpoint that keeps us waiting until nobody wants its bundle any more has come too late. */
async function mustStillLead(
  relationship: FederationRelationship,
  { configured, federation }: RefreshDeps,
): Promise<void> {
  const { trustDomain } = relationship
  const present =
    configured.findLast((one) => one.trustDomain === trustDomain) ??
    (await federation.find(trustDomain))
  if (isSameWay(present, relationship)) return
  const why = `the relationship with ${trustDomain} was changed or removed while its bundle was fetched; what came is not taken`
  throw new IdentityError('PRECONDITION_FAILED', why)
}

async function relationshipsOf({
  federation,
  configured,
}: RefreshDeps): Promise<ReadonlyMap<TrustDomain, FederationRelationship>> {
  const all = new Map<TrustDomain, FederationRelationship>()
  for await (const page of eachPage((request) => federation.list(request))) {
    for (const one of page) all.set(one.trustDomain, one)
  }
  for (const one of configured) all.set(one.trustDomain, one)
  return all
}

function dueOf(
  all: ReadonlyMap<TrustDomain, FederationRelationship>,
  followed: ReadonlyMap<TrustDomain, Followed>,
  running: ReadonlyMap<TrustDomain, unknown>,
  now: Date,
): readonly FederationRelationship[] {
  return [...all.values()]
    .filter(({ trustDomain }) => !running.has(trustDomain))
    .filter(({ trustDomain }) => (followed.get(trustDomain)?.standing.nextAt ?? now) <= now)
    .slice(0, Math.max(0, MAX_FETCHES - running.size))
}

function pauseMs(
  followed: ReadonlyMap<TrustDomain, Followed>,
  running: ReadonlyMap<TrustDomain, unknown>,
  now: Date,
): number {
  const waits = [...followed]
    .filter(([trustDomain]) => !running.has(trustDomain))
    .map(([, { standing }]) => Math.max(0, standing.nextAt.getTime() - now.getTime()))
  return Math.min(POLL_MS, ...waits)
}

async function refreshOne(
  relationship: FederationRelationship,
  deps: RefreshDeps,
  signal: AbortSignal,
): Promise<{ readonly bundle: Bundle | undefined; readonly isChanged: boolean }> {
  const { trustDomain } = relationship
  const fetched = await deps.fetch(relationship, signal)
  await mustStillLead(relationship, deps)
  let isChanged = false
  let refusal: IdentityError | undefined
  const bundle = await deps.bundles.update(trustDomain, (kept) => {
    refusal = undefined
    isChanged = false
    try {
      const acceptance = acceptBundle(fetched, kept)
      isChanged = acceptance.kind === 'changed'
      return acceptance.kind === 'changed' ? acceptance.bundle : kept
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error
      refusal = error
      return kept
    }
  })
  if (refusal !== undefined) throw refusal
  return { bundle, isChanged }
}
