/**
 * Who may act for workloads: a local process that is attested as any workload is, and one of whose own entries is for an ID in
 * `authorized_delegates`. Fails closed: it is asked again before anything is sent, by what the agent knows then.
 *
 * @see SPIRE API §3 — codes and texts of the Delegated Identity API
 */
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { SpiffeId } from '../../spiffe/id.ts'
import type { Selector } from '../../spiffe/selector.ts'
import type { Attest } from '../attest/attest.ts'
import type { WorkloadCache } from '../cache/workload-cache.ts'
import type { WhyNone } from './why-none.ts'

/** A caller after attestation; whether it is authorized is asked separately, for it may end. */
export interface Delegate {
  readonly caller: UnixCaller
  readonly selectors: ReadonlySet<Selector>
}

export interface DelegatesOptions {
  readonly authorized: ReadonlySet<SpiffeId>
  readonly attest: Attest
  readonly cache: Pick<WorkloadCache, 'matching'>
  readonly whyNone: WhyNone
}

export interface Delegates {
  /** @throws IdentityError ATTESTATION_FAILED, CALLER_UNIDENTIFIED, NO_IDENTITY_ISSUED, NOT_AUTHORIZED */
  admit(caller: UnixCaller, signal: AbortSignal): Promise<Delegate>
  /** @throws IdentityError as `admit`, when the delegate is none any more */
  requireStill(delegate: Delegate): void
}

/** More of them than anybody reads in an error. */
const MAX_IDS_SHOWN = 10

export function delegatesOf({ authorized, attest, cache, whyNone }: DelegatesOptions): Delegates {
  const requireStill = ({ caller, selectors }: Delegate): void => {
    if (!caller.isAlive()) {
      throw new IdentityError('CALLER_UNIDENTIFIED', 'the process that called has ended')
    }
    const entries = cache.matching(selectors)
    if (entries.length === 0) throw whyNone.ofCaller(caller.pid, selectors)
    if (!entries.some(({ id }) => authorized.has(id))) throw refusal(entries, authorized)
  }
  return {
    requireStill,
    async admit(caller, signal) {
      const delegate = { caller, selectors: await attest(caller, signal) }
      requireStill(delegate)
      return delegate
    },
  }
}

function refusal(
  entries: readonly { readonly id: SpiffeId }[],
  authorized: ReadonlySet<SpiffeId>,
): IdentityError {
  const own = shown(entries.map(({ id }) => id))
  const why =
    authorized.size === 0
      ? `it is ${own}, and authorized_delegates of the agent is empty`
      : `it is ${own}, and authorized_delegates of the agent has ${shown(authorized)}`
  const text = `caller not configured as an authorized delegate: ${why}`
  return new IdentityError('NOT_AUTHORIZED', text, { cause: { fields: { why } } })
}

function shown(ids: Iterable<SpiffeId>): string {
  const all = [...new Set(ids)]
  const some = all.slice(0, MAX_IDS_SHOWN).join(', ')
  return all.length > MAX_IDS_SHOWN ? `${some} and ${all.length - MAX_IDS_SHOWN} more` : some
}
