/**
 * Documents of token issuers, fetched once for all workers: a worker asks the thread that fetches, and those who ask for the same soon after each other
 * get the same answer. Failures are shared as well, so that workers do not multiply what an issuer in trouble is asked.
 */
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { FetchDocument } from '../policy-source/fetch-document.ts'
import type { DocumentAnswer, FromWorker } from './messages.ts'

/** Within it a document counts as the newest; shorter than the pause between two questions of one worker. */
const FRESH_MS = 10_000
/** The same of a failure: a worker tries again after a second. */
const FAILED_MS = 500
/** Answers that are kept: two for each of as many issuers as are followed. */
const MAX_KEPT = 400

interface Kept {
  /** Longer when it has turned out well. */
  untilMs: number
  readonly answer: Promise<DocumentAnswer>
}

/** For the thread that fetches. The result never rejects. */
export function shareDocuments(
  fetch: FetchDocument,
  clock: Clock,
  signal: AbortSignal,
): (question: Extract<FromWorker, { kind: 'fetch' }>) => Promise<DocumentAnswer> {
  const kept = new Map<string, Kept>()
  return async ({ url, ca, timeoutMs }) => {
    const now = clock.now().getTime()
    for (const [key, { untilMs }] of kept) {
      if (untilMs <= now || kept.size > MAX_KEPT) kept.delete(key)
    }
    const known = kept.get(url)
    if (known !== undefined) return await known.answer
    const answer = fetch(url, { ca, timeoutMs, signal }).then(
      (text): DocumentAnswer => {
        asked.untilMs = now + FRESH_MS
        return { kind: 'text', text }
      },
      (error: unknown): DocumentAnswer => {
        asked.untilMs = now + FAILED_MS
        const { code, message } =
          error instanceof IdentityError
            ? error
            : new IdentityError('UNAVAILABLE', `cannot fetch ${url}`)
        return { kind: 'failed', code, message }
      },
    )
    const asked: Kept = { untilMs: now + timeoutMs, answer }
    kept.set(url, asked)
    return await answer
  }
}

export interface AskedDocuments {
  readonly fetch: FetchDocument
  answered(id: number, answer: DocumentAnswer): void
}

/** For a worker. */
export function askForDocuments(
  send: (question: Extract<FromWorker, { kind: 'fetch' }>) => void,
): AskedDocuments {
  const waiting = new Map<number, (answer: DocumentAnswer) => void>()
  let last = 0
  return {
    async fetch(url, { ca, timeoutMs, signal }) {
      const id = ++last
      const { promise, resolve } = Promise.withResolvers<DocumentAnswer>()
      waiting.set(id, resolve)
      const giveUp = () =>
        resolve({ kind: 'failed', code: 'CANCELED', message: `${url} is not wanted any more` })
      signal.addEventListener('abort', giveUp, { once: true })
      try {
        send({ kind: 'fetch', id, url, ca, timeoutMs })
        const answer = await promise
        if (answer.kind === 'text') return answer.text
        throw new IdentityError(answer.code, answer.message)
      } finally {
        waiting.delete(id)
        signal.removeEventListener('abort', giveUp)
      }
    },
    answered: (id, answer) => waiting.get(id)?.(answer),
  }
}
