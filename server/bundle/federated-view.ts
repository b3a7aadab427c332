/**
 * The bundles of other trust domains, kept in memory as they were last committed, so that telling an agent of them
 * costs no query. When the store cannot be read the last known ones stay, and it is asked again.
 */
import { createBell } from '../../spiffe/bell.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import { eachPage } from '../store/page.ts'
import type { BundleStore } from '../store/store.ts'

export interface FederatedView {
  /** The same object until it changes; undefined: there is none. */
  find(trustDomain: TrustDomain): Bundle | undefined
  /** To be told when bundles were written or removed. */
  note(changed: ReadonlySet<TrustDomain> | 'all'): void
  /** Runs until the signal aborts. */
  follow(signal: AbortSignal): Promise<void>
}

export interface FederatedViewDeps {
  readonly bundles: Pick<BundleStore, 'find' | 'list'>
  /** Its own bundle is not kept here. */
  readonly trustDomain: TrustDomain
  readonly clock: Clock
  /** Some bundle is another than before. Must not throw. */
  readonly onChange: () => void
  readonly onFailure: (error: unknown) => void
}

const RETRY_MS = 1_000
/** Nothing is missed while it sleeps: what is noted wakes it. */
const PAUSE_MS = 60_000
/** As many as are noted one by one; beyond, all are read anew. */
const MAX_NOTED = 1_000

/** @throws IdentityError UNAVAILABLE when the store cannot be read */
export async function openFederatedView(deps: FederatedViewDeps): Promise<FederatedView> {
  const { bundles, trustDomain: own, clock } = deps
  let known = await readAll(deps)
  let noted: Set<TrustDomain> | 'all' = new Set()
  const bell = createBell()

  const note = (changed: ReadonlySet<TrustDomain> | 'all') => {
    const all = noted === 'all' || changed === 'all' ? 'all' : new Set([...noted, ...changed])
    noted = all !== 'all' && all.size > MAX_NOTED ? 'all' : all
    bell.ring()
  }

  const catchUp = async () => {
    const changed = noted
    noted = new Set()
    if (changed !== 'all' && changed.size === 0) return
    try {
      known = changed === 'all' ? await readAll(deps) : await readSome(known, changed)
    } catch (error) {
      note(changed)
      throw error
    }
    deps.onChange()
  }

  const readSome = async (
    before: ReadonlyMap<TrustDomain, Bundle>,
    changed: ReadonlySet<TrustDomain>,
  ) => {
    const next = new Map(before)
    for (const trustDomain of changed) {
      const bundle = trustDomain === own ? undefined : await bundles.find(trustDomain)
      if (bundle === undefined) next.delete(trustDomain)
      else next.set(trustDomain, bundle)
    }
    return next
  }

  return {
    find: (trustDomain) => known.get(trustDomain),
    note,
    async follow(signal) {
      signal.addEventListener('abort', bell.ring)
      while (!signal.aborted) {
        bell.reset()
        try {
          await catchUp()
          await clock.sleep(PAUSE_MS, bell.signal())
        } catch (error) {
          deps.onFailure(error)
          await clock.sleep(RETRY_MS, signal)
        }
      }
      signal.removeEventListener('abort', bell.ring)
    },
  }
}

async function readAll({
  bundles,
  trustDomain: own,
}: FederatedViewDeps): Promise<ReadonlyMap<TrustDomain, Bundle>> {
  const all = new Map<TrustDomain, Bundle>()
  for await (const page of eachPage((request) => bundles.list(request))) {
    for (const bundle of page) if (bundle.trustDomain !== own) all.set(bundle.trustDomain, bundle)
  }
  return all
}
