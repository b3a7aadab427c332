/**
 * The newest value of something that changes, for readers who want it now and for readers who want every change.
 * There may be none for a while; whoever reads it then is told why.
 */
import { IdentityError } from '../spiffe/error.ts'

export interface LatestReader<T> {
  /** @throws IdentityError saying why there is none */
  current(): T
  /** Called after every change, also when there is no value any more. */
  onChange(listener: () => void): Disposable
  /**
   * The value now, if there is one, and every later one; a slow reader sees the newest only. Ends when the source is
   * closed or `signal` aborts, throws when the source has failed for good.
   */
  updates(signal?: AbortSignal): AsyncIterable<T>
}

export interface Latest<T> extends LatestReader<T> {
  set(value: T): void
  /** There is none now. */
  withdraw(reason: IdentityError): void
  /** There will be none again. The last value stays readable: it may well be good for some time. */
  fail(reason: IdentityError): void
  close(): void
  /** Resolves with the first value. @throws what it failed with, UNAVAILABLE when closed before */
  first(): Promise<T>
}

type State<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'none'; readonly reason: IdentityError }

type End = { readonly kind: 'failed'; readonly reason: IdentityError } | { readonly kind: 'closed' }

export function createLatest<T>(): Latest<T> {
  let state: State<T> = { kind: 'none', reason: unavailable('there was no answer yet') }
  let end: End | undefined
  const listeners = new Set<() => void>()
  const change = (next: State<T>) => {
    if (end !== undefined) return
    state = next
    for (const listener of [...listeners]) listener()
  }
  const finish = (how: End) => {
    if (end !== undefined) return
    end = how
    if (how.kind === 'closed') state = { kind: 'none', reason: unavailable('the source is closed') }
    for (const listener of [...listeners]) listener()
  }
  const onChange = (listener: () => void): Disposable => {
    // A function of its own for each call, so that the same listener may be given twice.
    const call = () => listener()
    listeners.add(call)
    return { [Symbol.dispose]: () => void listeners.delete(call) }
  }
  async function* updates(signal?: AbortSignal): AsyncGenerator<T, void, undefined> {
    let seen: State<T> | undefined
    while (signal?.aborted !== true) {
      if (state !== seen && state.kind === 'value') {
        seen = state
        yield state.value
        continue
      }
      if (end?.kind === 'closed') return
      if (end?.kind === 'failed') throw end.reason
      await nextChange(onChange, signal)
    }
  }
  return {
    current() {
      if (state.kind === 'none') throw state.reason
      return state.value
    },
    onChange,
    updates,
    set: (value) => change({ kind: 'value', value }),
    withdraw: (reason) => change({ kind: 'none', reason }),
    fail: (reason) => finish({ kind: 'failed', reason }),
    close: () => finish({ kind: 'closed' }),
    async first() {
      for await (const value of updates()) return value
      throw unavailable('the source was closed before the first answer')
    },
  }
}

/** Resolves with the source once it has its first value, and disposes of it when there will be none. */
export async function opened<S extends AsyncDisposable>(
  source: S,
  latest: Pick<Latest<unknown>, 'first'>,
): Promise<S> {
  try {
    await latest.first()
    return source
  } catch (error) {
    await source[Symbol.asyncDispose]()
    throw error
  }
}

async function nextChange(
  onChange: (listener: () => void) => Disposable,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  using _listening = onChange(resolve)
  signal?.addEventListener('abort', () => resolve(), { once: true })
  await promise
}

function unavailable(why: string): IdentityError {
  return new IdentityError('UNAVAILABLE', `no identity material: ${why}`)
}
