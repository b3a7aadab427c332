/**
 * A stream on which both sides speak when they have something to say: the client asks, and what it asked about changes. Both
 * come to one conversation, each at its turn.
 */

export interface Conversation<Request, State> {
  readonly requests: AsyncIterable<Request>
  /** Begins at once and goes on until the signal aborts. */
  readonly states: (signal: AbortSignal) => AsyncIterable<State>
  hear(request: Request): Promise<void>
  see(state: State): Promise<void>
}

/**
 * The first state comes before any request. Resolves when the client has said its last, or the signal aborts.
 * @throws whatever `hear` or `see` does
 */
export async function converse<Request, State>(
  { requests, states, hear, see }: Conversation<Request, State>,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController()
  const until = AbortSignal.any([signal, over.signal])
  const coming = states(until)[Symbol.asyncIterator]()
  try {
    const first = await coming.next()
    if (first.done === true || until.aborted) return
    await see(first.value)
    const seeing = async () => {
      for (let next = await coming.next(); next.done !== true; next = await coming.next()) {
        if (until.aborted) return
        await see(next.value)
      }
    }
    const hearing = async () => {
      for await (const request of requests) {
        if (until.aborted) return
        await hear(request)
      }
    }
    await Promise.race([hearing(), seeing()])
  } finally {
    over.abort()
    await coming.return?.() // whatever is held for as long as somebody watches is let go
  }
}
