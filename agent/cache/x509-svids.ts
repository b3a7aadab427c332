/**
 * Gets X509-SVIDs for the entries that need them: keys are made here, the server sees signing requests only. Missing
 * ones and stale ones are fetched side by side, so that a workload never waits behind a mass renewal.
 *
 * @see SPIRE behaviour §3 — SVID fetch loop, CSR batch
 */
import type { Clock } from '../../spiffe/clock.ts'
import type { IdentityError } from '../../spiffe/error.ts'
import { generateKey, type KeyType, spkiOf, toPkcs8 } from '../../spiffe/key.ts'
import type { Random } from '../../spiffe/random.ts'
import { createCsr } from '../../spiffe/x509/csr.ts'
import { createBackoff } from '../backoff.ts'
import { isShortOfTarget, obtainedBetween, type RenewalPolicy } from '../renewal-time.ts'
import type { CachedEntry } from './entry.ts'
import type { WorkloadCache } from './workload-cache.ts'
import { type X509Svid, x509Svid } from './x509-svid.ts'

export interface X509Request {
  readonly entryId: string
  /** DER. */
  readonly csr: Uint8Array
}

export type X509Answer =
  | { readonly kind: 'signed'; readonly chain: readonly Uint8Array[] }
  | { readonly kind: 'refused'; readonly error: IdentityError }

/** One answer for each request, in the same order. @throws IdentityError when the call as a whole failed */
export type SignX509 = (
  requests: readonly X509Request[],
  signal: AbortSignal,
) => Promise<readonly X509Answer[]>

export interface X509SvidsDeps {
  readonly cache: WorkloadCache
  readonly sign: SignX509
  readonly keyType: KeyType
  readonly policy: RenewalPolicy
  onObtained(count: number): void
  /** Told of an SVID that lives too short for the `availability_target`. */
  onShort?(svid: { readonly entryId: string; readonly id: string }): void
  /** Told of every failed call, and of every entry that was refused. */
  onFailure(failure: { readonly error: unknown; readonly entryId?: string }): void
  readonly clock: Clock
  readonly random: Random
}

/** SPIRE's limit: keeps the answer below 4 MiB. */
export const MAX_BATCH = 500
/** RSA keys take a tenth of a second each, and who waits for one waits for its batch. */
const MAX_RSA_BATCH = 8
const FIRST_RETRY_MS = 500
const MAX_RETRY_MS = 30_000
/** An entry that the server refuses is asked for again after this, or when it changes. */
const REFUSED_RETRY_MS = 5_000

/** @param want which of the two kinds this loop fetches */
export async function keepX509Svids(
  deps: X509SvidsDeps,
  want: 'missing' | 'stale',
  signal: AbortSignal,
): Promise<void> {
  const { cache, clock, random } = deps
  const maxBatch = deps.keyType.startsWith('rsa') ? MAX_RSA_BATCH : MAX_BATCH
  const backoff = createBackoff({ initialMs: FIRST_RETRY_MS, capMs: MAX_RETRY_MS, random })
  let batchSize = maxBatch
  while (!signal.aborted) {
    const seen = seenOf(cache)
    const plan = cache.plan()
    if (want === 'missing' && plan.evicted.length > 0) {
      cache.drop(plan.evicted)
      continue
    }
    const batch = plan[want].slice(0, batchSize)
    if (batch.length === 0) {
      await newsOr(deps, seen, plan.nextAt, signal)
      continue
    }
    try {
      await fetchBatch(deps, batch, signal)
      backoff.reset()
      batchSize = Math.min(batchSize * 2, maxBatch)
    } catch (error) {
      if (signal.aborted) return
      deps.onFailure({ error })
      batchSize = Math.max(1, Math.floor(batchSize / 2))
      await newsOr(deps, seenOf(cache), clock.now().getTime() + backoff.next(), signal)
    }
  }
}

interface Seen {
  readonly news: number
  readonly demand: number
}

function seenOf({ news, demand }: WorkloadCache): Seen {
  return { news: news.version(), demand: demand.version() }
}

/** Until there is news or demand, or until the clock says so. */
async function newsOr(
  { cache, clock }: X509SvidsDeps,
  seen: Seen,
  untilMs: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController()
  const either = AbortSignal.any([signal, over.signal])
  const waits = [cache.news.after(seen.news, either), cache.demand.after(seen.demand, either)]
  if (untilMs !== undefined) waits.push(clock.sleep(untilMs - clock.now().getTime(), either))
  await Promise.race(waits)
  over.abort()
}

async function fetchBatch(
  deps: X509SvidsDeps,
  batch: readonly CachedEntry[],
  signal: AbortSignal,
): Promise<void> {
  const { cache, clock } = deps
  const keys = await Promise.all(batch.map(() => generateKey(deps.keyType)))
  const asked = batch.flatMap((entry, at) => {
    const key = keys[at]
    return key === undefined ? [] : [{ entry, key }]
  })
  const requests = asked.map(({ entry: { entryId, id }, key }) => ({
    entryId,
    csr: createCsr({ key, uriSans: [id] }),
  }))
  const askedAt = clock.now()
  const answers = await deps.sign(requests, signal)
  const now = obtainedBetween(askedAt, clock.now())
  const svids: X509Svid[] = []
  for (const [at, { entry, key }] of asked.entries()) {
    const { entryId, id, revision } = entry
    try {
      const answer = answers[at]
      if (answer === undefined) throw new Error('the server left it out of its answer')
      if (answer.kind === 'refused') throw answer.error
      const { chain } = answer
      const parts = { entryId, id, revision, chain, key: toPkcs8(key), spki: spkiOf(key) }
      const svid = x509Svid(parts, { now, policy: deps.policy, random: deps.random })
      const lifetime = { notBefore: now, expiresAt: svid.expiresAt }
      if (isShortOfTarget(lifetime, deps.policy)) deps.onShort?.({ entryId, id })
      svids.push(svid)
    } catch (error) {
      deps.onFailure({ error, entryId })
      cache.postpone(entryId, clock.now().getTime() + REFUSED_RETRY_MS)
    }
  }
  cache.store(svids)
  if (svids.length > 0) deps.onObtained(svids.length)
}
