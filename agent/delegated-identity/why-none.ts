/**
 * Why there is no identity, for a delegate: the text that clients know, then which entry comes closest and what is missing. The
 * answer shows selectors, as everything on this socket may; the log gets a sentence without any.
 */
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import { type Selector, selectorType } from '../../spiffe/selector.ts'
import type { CachedEntry } from '../cache/entry.ts'
import type { WorkloadCache } from '../cache/workload-cache.ts'
import { closestEntries } from '../explain/closest-entries.ts'
import { conclude } from '../explain/conclude.ts'
import { named } from '../explain/phrase.ts'
import type { SyncRecord } from '../sync/sync-record.ts'

export interface WhyNoneOptions {
  readonly cache: Pick<WorkloadCache, 'knowledge' | 'servable' | 'matching'>
  readonly membership: { svid(): { readonly id: SpiffeId } }
  readonly sync: Pick<SyncRecord, 'read'>
  /** Types of the attestors that the agent has. */
  readonly attestorTypes: readonly string[]
  readonly clock: Clock
}

/** Each an error to throw. */
export interface WhyNone {
  /** Of the delegate itself. */
  ofCaller(pid: number, selectors: ReadonlySet<Selector>): IdentityError
  /** Of the workload that it asked for. */
  ofWorkload(selectors: ReadonlySet<Selector>): IdentityError
}

/** A caller that comes again and again must not cost the agent more than this. */
const MAX_LOOKED_AT = 10_000
/** An error travels in a header of a few kilobytes. */
const MAX_TEXT_CHARS = 1_500

const TEXT = 'no identity issued'

export function whyNoneWith(options: WhyNoneOptions): WhyNone {
  const { cache, membership, sync, clock } = options
  const some = () => cache.knowledge().entries.values().take(MAX_LOOKED_AT)
  return {
    ofCaller(pid, selectors) {
      const held = some().map((one) => ({ ...one, hasSvid: cache.servable(one) !== undefined }))
      const { sentence, brief } = conclude({
        ...{ pid, agentId: membership.svid().id, now: clock.now(), sync: sync.read() },
        findings: options.attestorTypes.map((attestor) => ({
          attestor,
          selectors: [...selectors].filter((one) => selectorType(one) === attestor),
          error: undefined,
        })),
        held: [...held],
        server: undefined,
      })
      return noIdentity(sentence, brief)
    },
    ofWorkload(selectors) {
      const agent = membership.svid().id
      const withheld = cache.matching(selectors).find(({ privileged }) => privileged)
      if (withheld !== undefined) {
        const why = `${named(withheld)} matches, but it is an admin or downstream entry, which is given to no delegate`
        return noIdentity(why, why)
      }
      const [near] = closestEntries<CachedEntry>(some(), selectors, 1)
      if (near === undefined) {
        const why = `the agent ${agent} has no registration entries for workloads; create one with it as the parent`
        return noIdentity(why, why)
      }
      const brief = `no entry has only selectors that were asked for; ${named(near.entry)} comes closest`
      const wanted = near.missing.join(', ')
      const todo = `create an entry of what was asked for, with parent ${agent}`
      return noIdentity(`${brief} and wants ${wanted} as well; ${todo}`, brief)
    },
  }
}

function noIdentity(sentence: string, brief: string): IdentityError {
  const text = `${TEXT}: ${sentence}`
  const short = text.length > MAX_TEXT_CHARS ? `${text.slice(0, MAX_TEXT_CHARS)}…` : text
  return new IdentityError('NO_IDENTITY_ISSUED', short, { cause: { fields: { why: brief } } })
}
