/** Identities that a test hands out: every workload has those that `set` was last given. */
import { EventEmitter, once } from 'node:events'
import type {
  BundlesUpdate,
  IdentitySource,
  JwtSvid,
  MatchedEntry,
  TrustedBundles,
  WorkloadUpdate,
  X509Identity,
} from '../../agent/cache/identity.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import { parseSpiffeId } from '../../spiffe/id.ts'
import type { Selector } from '../../spiffe/selector.ts'

export class FakeIdentitySource implements IdentitySource {
  #state: WorkloadUpdate
  readonly #changes = new EventEmitter().setMaxListeners(0)
  /** What each watch and match was asked with. */
  readonly asked: (readonly Selector[])[] = []
  /** Answers token requests; throws to refuse. */
  mint: (entry: MatchedEntry, audience: readonly string[]) => Promise<JwtSvid>

  constructor(bundle: Bundle) {
    this.#state = { identities: [], bundle, federatedBundles: [] }
    this.mint = async (entry, audience) => ({
      token: `token of ${entry.id} for ${audience.join(' ')}`,
      id: entry.id,
      hint: entry.hint,
      expiresAt: new Date('2026-01-01T00:05:00Z'),
    })
  }

  set(change: Partial<WorkloadUpdate>): void {
    this.#state = { ...this.#state, ...change }
    this.#changes.emit('change')
  }

  /** Streams that are open now. */
  get watchers(): number {
    return this.#changes.listenerCount('change')
  }

  async *watchX509(selectors: ReadonlySet<Selector>, signal: AbortSignal) {
    this.asked.push([...selectors])
    yield* this.#follow(signal, (): WorkloadUpdate => this.#state)
  }

  watchEveryX509(selectors: ReadonlySet<Selector>, signal: AbortSignal) {
    return this.watchX509(selectors, signal)
  }

  async *watchBundles(selectors: ReadonlySet<Selector>, signal: AbortSignal) {
    this.asked.push([...selectors])
    yield* this.#follow(signal, (): BundlesUpdate => {
      const { identities, bundle, federatedBundles } = this.#state
      return { hasIdentity: identities.length > 0, bundle, federatedBundles }
    })
  }

  matching(selectors: ReadonlySet<Selector>): readonly MatchedEntry[] {
    this.asked.push([...selectors])
    return this.#state.identities
  }

  async fetchJwtSvid(entry: MatchedEntry, audience: readonly string[]): Promise<JwtSvid> {
    return await this.mint(entry, audience)
  }

  bundles(): TrustedBundles {
    const federated = this.#state.federatedBundles.map((one) => [one.trustDomain, one] as const)
    return { own: this.#state.bundle, federated: new Map(federated) }
  }

  async *#follow<T>(signal: AbortSignal, read: () => T): AsyncGenerator<T> {
    while (!signal.aborted) {
      const changed = once(this.#changes, 'change', { signal }).catch(() => undefined)
      yield read()
      await changed
    }
  }
}

/** An identity whose chain and key are not real; enough where nobody verifies them. */
export function fakeIdentity(id: string, change: Partial<X509Identity> = {}): X509Identity {
  return {
    entryId: id,
    id: parseSpiffeId(id),
    hint: '',
    createdAt: 0,
    federatesWith: [],
    chain: [Buffer.from(`leaf of ${id};`), Buffer.from('intermediate;')],
    key: Buffer.from(`key of ${id}`),
    expiresAt: new Date('2026-01-01T01:00:00Z'),
    ...change,
  }
}
