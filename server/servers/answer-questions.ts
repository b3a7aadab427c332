/** Answers what other servers ask of this one: what it knows of authorities, and steps of a guided rotation. */
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { ServerRegistry } from '../store/server-registry.ts'
import {
  type DoneAnswer,
  decodeQuestion,
  encodeAnswer,
  encodeRefusal,
  type Question,
  type StandingAnswer,
} from './question.ts'

export interface AnswerDeps {
  readonly registry: Pick<ServerRegistry, 'unanswered' | 'answer'>
  readonly key: string
  /** @throws IdentityError which is what the other server is answered */
  carryOut(question: Question): Promise<StandingAnswer | DoneAnswer>
  readonly clock: Clock
  readonly onFailure: (error: unknown) => void
}

const LOOK_MS = 500
const RETRY_MS = 2_000

/** Runs until the signal aborts. */
export async function answerQuestions(deps: AnswerDeps, signal: AbortSignal): Promise<void> {
  const { registry, key, clock, onFailure } = deps
  while (!signal.aborted) {
    let pauseMs = LOOK_MS
    try {
      for (const { id, text } of await registry.unanswered(key)) {
        await registry.answer(id, await answerOf(text, deps))
      }
    } catch (error) {
      onFailure(error)
      pauseMs = RETRY_MS
    }
    await clock.sleep(pauseMs, signal)
  }
}

async function answerOf(text: string, { carryOut, onFailure }: AnswerDeps): Promise<string> {
  const question = decodeQuestion(text)
  if (question === undefined) {
    const why = 'this server does not know the question: is it of an older version?'
    return encodeRefusal('NOT_IMPLEMENTED', why)
  }
  try {
    return encodeAnswer(await carryOut(question))
  } catch (error) {
    if (error instanceof IdentityError) return encodeRefusal(error.code, error.message)
    onFailure(error)
    return encodeRefusal('INTERNAL', 'internal error, see the log of that server')
  }
}
