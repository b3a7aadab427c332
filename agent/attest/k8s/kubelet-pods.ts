/**
 * The pods of this node as the kubelet lists them: each list is asked for and parsed once for all who wait, at most one
 * in each interval, and used for as long as that.
 */
import { once } from 'node:events'
import type { Log } from '../../../log/open-log.ts'
import type { Clock } from '../../../spiffe/clock.ts'
import { IdentityError, reasonOf } from '../../../spiffe/error.ts'
import type { Kubelet } from './kubelet.ts'
import { indexPods, type PodList } from './pod-list.ts'
import type { PodSource } from './pod-source.ts'

export interface KubeletPodsDeps {
  readonly kubelet: Kubelet
  /** Lists that are looked at for one caller. */
  readonly maxPollAttempts: number
  readonly pollRetryIntervalMs: number
  readonly clock: Clock
  readonly log: Log
}

/** A list, or why there is none. */
type Fetched =
  | { readonly kind: 'list'; readonly list: PodList; readonly number: number; readonly at: number }
  | { readonly kind: 'failed'; readonly problem: string }

export function kubeletPods(deps: KubeletPodsDeps): PodSource {
  const { kubelet, maxPollAttempts, pollRetryIntervalMs, clock, log } = deps
  const stop = new AbortController()
  let last: Fetched | undefined
  let lastStart = Number.NEGATIVE_INFINITY
  let count = 0
  let pending: Promise<Fetched> | undefined
  const now = () => clock.now().getTime()

  const fetch = async (): Promise<Fetched> => {
    const waitMs = lastStart + pollRetryIntervalMs - now()
    if (waitMs > 0) await clock.sleep(Math.min(waitMs, pollRetryIntervalMs), stop.signal)
    lastStart = now()
    const at = lastStart
    try {
      const list = indexPods(await kubelet.pods(stop.signal))
      if (last?.kind === 'failed') log.info('The kubelet lists its pods again')
      count += 1
      return { kind: 'list', list, number: count, at }
    } catch (error) {
      if (last?.kind !== 'failed' && !stop.signal.aborted) {
        log.warn({ err: error }, 'The kubelet lists no pods; workloads in pods wait')
      }
      return { kind: 'failed', problem: reasonOf(error) }
    }
  }

  /** Newer than the list of this number. */
  const next = async (number: number): Promise<Fetched> => {
    const isFresh = last?.kind === 'list' && Math.abs(now() - last.at) < pollRetryIntervalMs
    if (last?.kind === 'list' && last.number > number && isFresh) return last
    pending ??= fetch().then((fetched) => {
      last = fetched
      pending = undefined
      return fetched
    })
    return pending
  }

  return {
    async search(look, { signal, patience }) {
      const attempts = patience === 'once' ? 1 : maxPollAttempts
      let seen = 0
      let problem: string | undefined
      for (let attempt = 1; attempt <= attempts; attempt++) {
        const fetched = await orCanceled(next(seen), signal)
        problem = fetched.kind === 'failed' ? fetched.problem : undefined
        if (fetched.kind === 'failed') continue
        seen = fetched.number
        const value = look(fetched.list)
        if (value !== undefined) return { kind: 'found', value }
      }
      return { kind: 'gave-up', problem }
    },
    async follow(signal) {
      if (!signal.aborted) await once(signal, 'abort')
      stop.abort()
      kubelet[Symbol.dispose]()
    },
  }
}

/** The list goes on being fetched for the others. @throws IdentityError CANCELED */
async function orCanceled<T>(wanted: Promise<T>, signal: AbortSignal): Promise<T> {
  const canceled = Promise.withResolvers<never>()
  const cancel = () => canceled.reject(new IdentityError('CANCELED', 'the caller has hung up'))
  if (signal.aborted) cancel()
  signal.addEventListener('abort', cancel, { once: true })
  try {
    return await Promise.race([wanted, canceled.promise])
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}
